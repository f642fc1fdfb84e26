package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
)

// Digest returns "sha256:…" of the classes, of the annotations, and of the names and
// sizes of the files: another one where the set has been changed. Files are not read.
func (s *Set) Digest() (string, error) {
	h := sha256.New()
	enc := json.NewEncoder(h)
	if err := enc.Encode([]any{s.Classes, s.Ignore, len(s.Images)}); err != nil {
		return "", err
	}
	for _, img := range s.Images {
		if err := enc.Encode(img); err != nil {
			return "", fmt.Errorf("%s: %w", img.File, err)
		}
		for _, file := range []string{img.File, img.Mask} {
			if file == "" {
				continue
			}
			at, err := os.Stat(file)
			if err != nil {
				return "", err
			}
			fmt.Fprintln(h, at.Size())
		}
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}
