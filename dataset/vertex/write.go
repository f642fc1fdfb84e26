package vertex

import (
	"bufio"
	"encoding/json"

	"trilobite/dataset"
	"trilobite/dataset/masks"
)

// Says is what the format can write down.
const Says = dataset.Labels | dataset.ManyLabels | dataset.Boxes | dataset.Polygons | dataset.Masks | dataset.Parted | dataset.Unlabelled

// Write writes a file for each schema that the set needs: classification.jsonl,
// multilabel.jsonl, boxes.jsonl and segmentation.jsonl, with the pictures in images/ and
// masks in masks/. The pictures' sizes are known.
func Write(out *dataset.Folder, s *dataset.Set) error {
	w := &writer{out: out, set: s}
	for i := range s.Images {
		img := &s.Images[i]
		if err := out.Add(img.File, dataset.In(img.Name, "images")); err != nil {
			return err
		}
		w.several = w.several || len(img.Classes) > 1
	}
	kinds := []struct {
		file string
		line func(img *dataset.Image) (*line, error)
	}{{"boxes.jsonl", w.boxes}, {"classification.jsonl", w.single}, {"multilabel.jsonl", w.multiple}, {"segmentation.jsonl", w.outlines}}
	for _, k := range kinds {
		if err := w.file(k.file, k.line); err != nil {
			return err
		}
	}
	return nil
}

func isBox(o dataset.Object) bool { return len(o.Polygons) == 0 }

type writer struct {
	out     *dataset.Folder
	set     *dataset.Set
	several bool // some picture has several labels
}

// file writes the lines that pictures have for one schema, if there are any.
func (w *writer) file(name string, line func(img *dataset.Image) (*line, error)) error {
	var lines [][]byte
	for i := range w.set.Images {
		img := &w.set.Images[i]
		l, err := line(img)
		if err != nil {
			return err
		}
		if l == nil {
			continue
		}
		l.Image = w.out.Ref(dataset.In(img.Name, "images"))
		if img.Split != "" {
			use := map[string]string{dataset.Train: "training", dataset.Val: "validation", dataset.Test: "test"}
			l.Labels = map[string]string{mlUse: use[img.Split]}
		}
		data, err := json.Marshal(l)
		if err != nil {
			return err
		}
		lines = append(lines, data)
	}
	if len(lines) == 0 {
		return nil
	}
	return w.out.Write(name, func(b *bufio.Writer) error {
		for _, l := range lines {
			if _, err := b.Write(append(l, '\n')); err != nil {
				return err
			}
		}
		return nil
	})
}

// boxes is also the line of pictures that show nothing.
func (w *writer) boxes(img *dataset.Image) (*line, error) {
	nothing := len(img.Classes)+len(img.Objects) == 0 && img.Mask == ""
	all := []box{}
	for _, o := range img.Objects {
		if isBox(o) {
			x, y := float64(img.W), float64(img.H)
			all = append(all, box{w.set.Classes[o.Class], o.Box.X / x, o.Box.Y / y, (o.Box.X + o.Box.W) / x, (o.Box.Y + o.Box.H) / y})
		}
	}
	if len(all) == 0 && !nothing {
		return nil, nil
	}
	return &line{Boxes: &all}, nil
}

func (w *writer) single(img *dataset.Image) (*line, error) {
	if w.several || len(img.Classes) == 0 {
		return nil, nil
	}
	return &line{Single: &label{w.set.Classes[img.Classes[0]]}}, nil
}

func (w *writer) multiple(img *dataset.Image) (*line, error) {
	if !w.several || len(img.Classes) == 0 {
		return nil, nil
	}
	l := &line{}
	for _, c := range img.Classes {
		l.Several = append(l.Several, label{w.set.Classes[c]})
	}
	return l, nil
}

// outlines is the line of a picture's polygons and mask.
func (w *writer) outlines(img *dataset.Image) (*line, error) {
	l := &line{}
	for _, o := range img.Objects {
		if isBox(o) {
			continue
		}
		p := polygon{Name: w.set.Classes[o.Class]}
		for _, q := range o.Polygons[0] {
			p.Vertexes = append(p.Vertexes, vertex{q.X / float64(img.W), q.Y / float64(img.H)})
		}
		l.Polygons = append(l.Polygons, p)
	}
	if img.Mask == "" {
		if len(l.Polygons) == 0 {
			return nil, nil
		}
		return l, nil
	}
	m, err := masks.Load(w.set, img)
	if err != nil {
		return nil, err
	}
	data, err := m.Encode()
	if err != nil {
		return nil, err
	}
	name := dataset.In(dataset.Stem(img.Name)+".png", "masks")
	l.Segmentation = &mask{Category: w.out.Ref(name), Colors: colors(w.set)}
	return l, w.out.WriteFile(name, data)
}

func colors(s *dataset.Set) []color {
	var all []color
	add := func(class int, name string) {
		v := masks.Color(class)
		c := color{Name: name}
		c.Color.Red, c.Color.Green, c.Color.Blue = float64(v[0])/255, float64(v[1])/255, float64(v[2])/255
		all = append(all, c)
	}
	for c, name := range s.Classes {
		add(c, name)
	}
	if s.Ignore != dataset.NoIgnore {
		add(dataset.IgnoreValue, masks.Unlabelled)
	}
	return all
}
