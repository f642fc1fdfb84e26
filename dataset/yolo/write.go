package yolo

import (
	"bufio"
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"

	"trilobite/dataset"
)

// Says is what the format can write down.
const Says = dataset.Boxes | dataset.Polygons | dataset.Parted | dataset.ClassOrder | dataset.UnusedClasses | dataset.Unlabelled

type savedYAML struct {
	Train string         `yaml:"train"`
	Val   string         `yaml:"val"`
	Test  string         `yaml:"test,omitempty"`
	Names map[int]string `yaml:"names"`
}

// Write writes data.yaml, images/ and labels/, with a folder for each split in both. The
// set's pictures have sizes, and what is in them lies inside.
func Write(out *dataset.Folder, s *dataset.Set) error {
	y := savedYAML{Train: "images", Val: "images", Names: map[int]string{}}
	has := map[string]bool{}
	for i := range s.Images {
		img := &s.Images[i]
		has[img.Split] = true
		if err := out.Add(img.File, dataset.In(img.Name, "images", img.Split)); err != nil {
			return err
		}
		err := out.Write(dataset.In(dataset.Stem(img.Name)+".txt", "labels", img.Split), func(w *bufio.Writer) error {
			for _, o := range img.Objects {
				writeLine(w, &o, float64(img.W), float64(img.H))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if !has[""] {
		y.Train, y.Val = "images/"+dataset.Train, "images/"+dataset.Val
		if !has[dataset.Val] { // trainers want one
			y.Val = y.Train
		}
		if has[dataset.Test] {
			y.Test = "images/" + dataset.Test
		}
	}
	for c, name := range s.Classes {
		y.Names[c] = name
	}
	data, err := yaml.Marshal(y)
	if err != nil {
		return err
	}
	return out.WriteFile("data.yaml", data)
}

// writeLine writes an object of a picture of w×h.
func writeLine(b *bufio.Writer, o *dataset.Object, w, h float64) {
	v := []float64{(o.Box.X + o.Box.W/2) / w, (o.Box.Y + o.Box.H/2) / h, o.Box.W / w, o.Box.H / h}
	if len(o.Polygons) > 0 {
		v = v[:0]
		for _, q := range o.Polygons[0] {
			v = append(v, q.X/w, q.Y/h)
		}
	}
	fmt.Fprint(b, o.Class)
	for _, x := range v {
		fmt.Fprint(b, " ", strconv.FormatFloat(min(1, max(0, x)), 'f', -1, 64))
	}
	fmt.Fprintln(b)
}
