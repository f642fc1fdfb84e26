package csvlabels

import (
	"bufio"
	"encoding/csv"
	"slices"
	"strconv"

	"trilobite/dataset"
)

// Says is what the format can write down.
const Says = dataset.Labels | dataset.ManyLabels | dataset.Boxes | dataset.Parted | dataset.Unlabelled

// Write writes labels.csv, and the pictures to images/. Columns for corners are there
// where the set has boxes.
func Write(out *dataset.Folder, s *dataset.Set) error {
	heading := []string{"file", "label", "split"}
	if slices.ContainsFunc(s.Images, func(img dataset.Image) bool { return len(img.Objects) > 0 }) {
		heading = append(heading, "xmin", "ymin", "xmax", "ymax")
	}
	return out.Write("labels.csv", func(buf *bufio.Writer) error {
		w := csv.NewWriter(buf)
		row := func(cells ...string) {
			_ = w.Write(append(cells, make([]string, len(heading)-len(cells))...)) // w keeps its error
		}
		row(heading...)
		for i := range s.Images {
			img := &s.Images[i]
			if err := out.Add(img.File, dataset.In(img.Name, "images")); err != nil {
				return err
			}
			for _, c := range img.Classes {
				row(img.Name, s.Classes[c], img.Split)
			}
			for _, o := range img.Objects {
				b := o.Box
				row(img.Name, s.Classes[o.Class], img.Split, text(b.X), text(b.Y), text(b.X+b.W), text(b.Y+b.H))
			}
			if len(img.Classes)+len(img.Objects) == 0 {
				row(img.Name, "", img.Split)
			}
		}
		w.Flush()
		return w.Error()
	})
}

func text(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
