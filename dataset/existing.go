package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// Existing returns the set without the pictures whose files are not there, and says where
// they are listed.
func (s *Set) Existing() *Set {
	out := *s
	out.Images, out.Dropped = nil, slices.Clone(s.Dropped)
	for _, img := range s.Images {
		reason := ""
		if _, err := os.Stat(img.File); errors.Is(err, fs.ErrNotExist) {
			reason = fmt.Sprintf("there is no picture %s", img.File)
		} else if _, err := os.Stat(img.Mask); img.Mask != "" && errors.Is(err, fs.ErrNotExist) {
			reason = fmt.Sprintf("there is no mask %s", img.Mask)
		}
		if reason != "" {
			out.Dropf(cmp.Or(img.Source, img.File), img.Line, "%s", reason)
			continue
		}
		out.Images = append(out.Images, img)
	}
	return &out
}
