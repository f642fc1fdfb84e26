package coco

import (
	"encoding/json"
	"fmt"

	"trilobite/dataset"
	"trilobite/geom"
)

// outline reads an annotation's segmentation: a list of polygons, each x1, y1, x2, y2 …,
// or run lengths of a mask of the image's size, as numbers or compressed.
func outline(raw json.RawMessage, img *dataset.Image) ([]geom.Polygon, *geom.RLE, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil, nil
	}
	if raw[0] == '[' {
		p, err := polygons(raw)
		return p, nil, err
	}
	var m struct {
		Size   [2]int          `json:"size"` // height, width
		Counts json.RawMessage `json:"counts"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, nil, err
	}
	h, w := m.Size[0], m.Size[1]
	if img.W > 0 && img.H > 0 && (w != img.W || h != img.H) {
		return nil, nil, fmt.Errorf("a mask of %d×%d, the picture has %d×%d", w, h, img.W, img.H)
	}
	var text string
	if json.Unmarshal(m.Counts, &text) == nil {
		r, err := geom.ParseRLE(w, h, text)
		if err != nil {
			return nil, nil, err
		}
		return nil, &r, nil
	}
	var runs []uint32
	if err := json.Unmarshal(m.Counts, &runs); err != nil {
		return nil, nil, err
	}
	r, err := geom.NewRLE(w, h, runs)
	if err != nil {
		return nil, nil, err
	}
	return nil, &r, nil
}

func polygons(raw json.RawMessage) ([]geom.Polygon, error) {
	var parts [][]float64
	if err := json.Unmarshal(raw, &parts); err != nil {
		return nil, err
	}
	var out []geom.Polygon
	for _, flat := range parts {
		if len(flat)%2 != 0 {
			return nil, fmt.Errorf("a polygon of %d numbers", len(flat))
		}
		p := make(geom.Polygon, len(flat)/2)
		for i := range p {
			p[i] = geom.Point{X: flat[2*i], Y: flat[2*i+1]}
		}
		if err := dataset.CheckPolygon(p); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}
