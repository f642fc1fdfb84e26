package manifest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"strconv"

	"trilobite/dataset"
	"trilobite/dataset/groundtruth"
	"trilobite/dataset/masks"
)

// Says is what the format can write down.
const Says = dataset.Labels | dataset.ManyLabels | dataset.Boxes | dataset.Masks | dataset.Parted | dataset.Unlabelled

// Write writes output.manifest, or train.manifest and so on where the set has splits, with
// the pictures in images/ and masks in masks/. Labels of a picture are attributes label,
// label-1 and so on, as Custom Labels takes several; boxes are bounding-box; a mask is
// mask-ref. The pictures' sizes are known.
func Write(out *dataset.Folder, s *dataset.Set) error {
	for _, split := range append([]string{""}, dataset.Splits()...) {
		images := partOf(s, split)
		if len(images) == 0 {
			continue
		}
		name := "output.manifest"
		if split != "" {
			name = split + ".manifest"
		}
		err := out.Write(name, func(w *bufio.Writer) error {
			enc := json.NewEncoder(w)
			enc.SetEscapeHTML(false)
			for _, i := range images {
				l, err := line(out, s, &s.Images[i])
				if err == nil {
					err = enc.Encode(l)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func partOf(s *dataset.Set, split string) []int {
	var out []int
	for i, img := range s.Images {
		if img.Split == split {
			out = append(out, i)
		}
	}
	return out
}

type object map[string]any

// line writes the files of a picture and returns its line.
func line(out *dataset.Folder, s *dataset.Set, img *dataset.Image) (object, error) {
	name := dataset.In(img.Name, "images")
	if err := out.Add(img.File, name); err != nil {
		return nil, err
	}
	l := object{"source-ref": out.Ref(name)}
	for i, c := range img.Classes {
		key := "label"
		if i > 0 {
			key = fmt.Sprintf("label-%d", i)
		}
		m := metadataOf(out, key, groundtruth.Classification)
		m["class-name"], m["confidence"] = s.Classes[c], 1
		l[key], l[key+"-metadata"] = 1, m
	}
	if len(img.Objects) > 0 || len(img.Classes) == 0 && img.Mask == "" {
		l["bounding-box"], l["bounding-box-metadata"] = boxesOf(out, s, img)
	}
	if img.Mask == "" {
		return l, nil
	}
	m, err := masks.Load(s, img)
	if err != nil {
		return nil, err
	}
	data, err := m.Encode()
	if err != nil {
		return nil, err
	}
	mask := dataset.In(dataset.Stem(img.Name)+".png", "masks")
	meta := metadataOf(out, "mask-ref", groundtruth.Segmentation)
	meta["internal-color-map"] = colors(s)
	l["mask-ref"], l["mask-ref-metadata"] = out.Ref(mask), meta
	return l, out.WriteFile(mask, data)
}

func metadataOf(out *dataset.Folder, key, kind string) object {
	return object{"job-name": "labeling-job/" + key, "human-annotated": "yes", "creation-date": out.Created, "type": kind}
}

func boxesOf(out *dataset.Folder, s *dataset.Set, img *dataset.Image) (value, meta object) {
	annotations, confidences, classes := []object{}, []object{}, map[string]string{}
	for _, o := range img.Objects {
		classes[strconv.Itoa(o.Class)] = s.Classes[o.Class]
		annotations = append(annotations, object{"class_id": o.Class, "left": o.Box.X, "top": o.Box.Y, "width": o.Box.W, "height": o.Box.H})
		confidences = append(confidences, object{"confidence": 1})
	}
	meta = metadataOf(out, "bounding-box", groundtruth.Detection)
	meta["class-map"], meta["objects"] = classes, confidences
	return object{"image_size": []object{{"width": img.W, "height": img.H, "depth": 3}}, "annotations": annotations}, meta
}

// colors returns the internal-color-map of the masks that are written.
func colors(s *dataset.Set) object {
	all := object{}
	add := func(class int, name string) {
		c := masks.Color(class)
		all[strconv.Itoa(class)] = object{"class-name": name, "hex-color": fmt.Sprintf("#%02x%02x%02x", c[0], c[1], c[2]), "confidence": 1}
	}
	for c, name := range s.Classes {
		add(c, name)
	}
	if s.Ignore != dataset.NoIgnore {
		add(dataset.IgnoreValue, masks.Unlabelled)
	}
	return all
}
