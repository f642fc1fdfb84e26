package automl

import (
	"bufio"
	"encoding/csv"
	"slices"
	"strconv"

	"trilobite/dataset"
)

// Says is what the format can write down.
const Says = dataset.Labels | dataset.ManyLabels | dataset.Boxes | dataset.Parted | dataset.Unlabelled

// Write writes classification.csv for labels, boxes.csv for boxes, each where the set has
// some, and the pictures to images/. Pictures that show nothing are in boxes.csv. The
// pictures' sizes are known.
func Write(out *dataset.Folder, s *dataset.Set) error {
	var labels, boxes [][]string
	for i := range s.Images {
		img := &s.Images[i]
		name := dataset.In(img.Name, "images")
		if err := out.Add(img.File, name); err != nil {
			return err
		}
		use := map[string]string{"": "UNASSIGNED", dataset.Train: "TRAIN", dataset.Val: "VALIDATION", dataset.Test: "TEST"}
		begin := []string{use[img.Split], out.Ref(name)}
		if len(img.Classes) > 0 {
			row := begin
			for _, c := range img.Classes {
				row = append(slices.Clip(row), s.Classes[c])
			}
			labels = append(labels, row)
		}
		for _, o := range img.Objects {
			w, h, b := float64(img.W), float64(img.H), o.Box
			boxes = append(boxes, append(begin[:2:2], s.Classes[o.Class],
				text(b.X/w), text(b.Y/h), "", "", text((b.X+b.W)/w), text((b.Y+b.H)/h), "", ""))
		}
		if len(img.Classes)+len(img.Objects) == 0 {
			boxes = append(boxes, append(begin[:2:2], make([]string, 9)...))
		}
	}
	if err := write(out, "classification.csv", labels); err != nil {
		return err
	}
	return write(out, "boxes.csv", boxes)
}

func write(out *dataset.Folder, name string, rows [][]string) error {
	if len(rows) == 0 {
		return nil
	}
	return out.Write(name, func(b *bufio.Writer) error { return csv.NewWriter(b).WriteAll(rows) })
}

func text(v float64) string { return strconv.FormatFloat(min(1, max(0, v)), 'f', -1, 64) }
