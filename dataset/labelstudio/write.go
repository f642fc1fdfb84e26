package labelstudio

import (
	"bufio"
	"encoding/json"
	"encoding/xml"
	"fmt"

	"trilobite/dataset"
)

// Says is what the format can write down. Splits are a value of the tasks' data.
const Says = dataset.Labels | dataset.ManyLabels | dataset.Boxes | dataset.Polygons | dataset.Pixels | dataset.Parted | dataset.Unlabelled

type object map[string]any

// Write writes tasks.json for Label Studio's import, config.xml with the labelling
// interface that fits it, and the pictures to images/. The pictures' sizes are known.
func Write(out *dataset.Folder, s *dataset.Set) error {
	err := out.Write("tasks.json", func(b *bufio.Writer) error {
		fmt.Fprint(b, "[")
		for i := range s.Images {
			img := &s.Images[i]
			name := dataset.In(img.Name, "images")
			if err := out.Add(img.File, name); err != nil {
				return err
			}
			data := object{"image": out.Ref(name)}
			if img.Split != "" {
				data["split"] = img.Split
			}
			task, err := json.Marshal(object{"id": i + 1, "data": data, "annotations": []object{{"result": results(s, img)}}})
			if err != nil {
				return err
			}
			if i > 0 {
				fmt.Fprint(b, ",")
			}
			fmt.Fprintf(b, "\n%s", task)
		}
		_, err := fmt.Fprint(b, "\n]\n")
		return err
	})
	if err != nil {
		return err
	}
	return out.Write("config.xml", func(b *bufio.Writer) error { return config(b, s) })
}

// results returns what is said of a picture.
func results(s *dataset.Set, img *dataset.Image) []object {
	all := []object{}
	add := func(kind, from string, v object) {
		all = append(all, object{
			"id": fmt.Sprintf("r%d", len(all)+1), "type": kind, "from_name": from, "to_name": "image",
			"original_width": img.W, "original_height": img.H, "image_rotation": 0, "value": v,
		})
	}
	if len(img.Classes) > 0 {
		var names []string
		for _, c := range img.Classes {
			names = append(names, s.Classes[c])
		}
		add("choices", "choice", object{"choices": names})
	}
	w, h := 100/float64(img.W), 100/float64(img.H) // percent of a pixel
	for _, o := range img.Objects {
		name := []string{s.Classes[o.Class]}
		switch {
		case o.RLE != nil:
			rle := encodeRLE(o.RLE)
			numbers := make([]int, len(rle))
			for i, b := range rle {
				numbers[i] = int(b)
			}
			add("brushlabels", "brush", object{"format": "rle", "rle": numbers, "brushlabels": name})
		case len(o.Polygons) > 0:
			points := make([][2]float64, len(o.Polygons[0]))
			for i, q := range o.Polygons[0] {
				points[i] = [2]float64{q.X * w, q.Y * h}
			}
			add("polygonlabels", "polygon", object{"points": points, "closed": true, "polygonlabels": name})
		default:
			add("rectanglelabels", "rectangle", object{"x": o.Box.X * w, "y": o.Box.Y * h, "width": o.Box.W * w, "height": o.Box.H * h,
				"rotation": 0, "rectanglelabels": name})
		}
	}
	return all
}

// config writes the labelling interface with the classes of s.
func config(b *bufio.Writer, s *dataset.Set) error {
	fmt.Fprint(b, "<View>\n  <Image name=\"image\" value=\"$image\"/>\n")
	for _, tag := range []struct{ kind, name, label, more string }{
		{"Choices", "choice", "Choice", ` choice="multiple"`}, {"RectangleLabels", "rectangle", "Label", ""},
		{"PolygonLabels", "polygon", "Label", ""}, {"BrushLabels", "brush", "Label", ""},
	} {
		fmt.Fprintf(b, "  <%s name=%q toName=\"image\"%s>\n", tag.kind, tag.name, tag.more)
		for _, class := range s.Classes {
			fmt.Fprintf(b, "    <%s value=\"", tag.label)
			if err := xml.EscapeText(b, []byte(class)); err != nil {
				return err
			}
			fmt.Fprint(b, "\"/>\n")
		}
		fmt.Fprintf(b, "  </%s>\n", tag.kind)
	}
	_, err := fmt.Fprint(b, "</View>\n")
	return err
}
