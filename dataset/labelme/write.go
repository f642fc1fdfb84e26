package labelme

import (
	"trilobite/dataset"
	"trilobite/geom"
)

// Says is what the format can write down.
const Says = dataset.Labels | dataset.ManyLabels | dataset.Boxes | dataset.Polygons | dataset.Parts | dataset.Pixels | dataset.Parted | dataset.Unlabelled

type savedFile struct {
	Version string          `json:"version"`
	Flags   map[string]bool `json:"flags"`
	Shapes  []savedShape    `json:"shapes"`
	Path    string          `json:"imagePath"`
	Data    *string         `json:"imageData"` // null: the picture is in its file
	Height  int             `json:"imageHeight"`
	Width   int             `json:"imageWidth"`
}

type savedShape struct {
	Label       string          `json:"label"`
	Points      [][2]float64    `json:"points"`
	Group       *int            `json:"group_id"`
	Description string          `json:"description"`
	Type        string          `json:"shape_type"`
	Flags       map[string]bool `json:"flags"`
	Mask        []byte          `json:"mask"`
}

// Write writes a JSON file beside each picture, in a folder for each split where the set
// has splits. Parts of an outline share a group. The pictures' sizes are known.
func Write(out *dataset.Folder, s *dataset.Set) error {
	for i := range s.Images {
		img := &s.Images[i]
		if err := out.Add(img.File, dataset.In(img.Name, img.Split)); err != nil {
			return err
		}
		f := savedFile{Version: "5.5.0", Flags: map[string]bool{}, Path: img.Name, Height: img.H, Width: img.W}
		for _, c := range img.Classes {
			f.Flags[s.Classes[c]] = true
		}
		var err error
		if f.Shapes, err = shapesOf(s, img); err != nil {
			return err
		}
		if err := out.WriteJSON(dataset.In(dataset.Stem(img.Name)+".json", img.Split), f); err != nil {
			return err
		}
	}
	return nil
}

func shapesOf(s *dataset.Set, img *dataset.Image) ([]savedShape, error) {
	all := []savedShape{}
	groups := 0
	for _, o := range img.Objects {
		v := savedShape{Label: s.Classes[o.Class], Flags: map[string]bool{}}
		switch {
		case o.RLE != nil:
			var err error
			v.Type = "mask"
			if v.Points, v.Mask, err = saveMask(o.RLE); err != nil {
				return nil, err
			}
			all = append(all, v)
		case len(o.Polygons) > 0:
			v.Type = "polygon"
			if len(o.Polygons) > 1 {
				groups++
				group := groups
				v.Group = &group
			}
			for _, p := range o.Polygons {
				v.Points = pairs(p)
				all = append(all, v)
			}
		default:
			v.Type = "rectangle"
			v.Points = [][2]float64{{o.Box.X, o.Box.Y}, {o.Box.X + o.Box.W, o.Box.Y + o.Box.H}}
			all = append(all, v)
		}
	}
	return all, nil
}

func pairs(p geom.Polygon) [][2]float64 {
	out := make([][2]float64, len(p))
	for i, q := range p {
		out[i] = [2]float64{q.X, q.Y}
	}
	return out
}
