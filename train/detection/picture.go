package detection

import (
	"context"
	"fmt"

	"trilobite"
	"trilobite/dataset"
	"trilobite/geom"
	"trilobite/imageio"
	"trilobite/runs"
)

const (
	side    = 480 // pixels of a picture in the report, the longer side
	quality = 80  // of its JPEG
)

// picture draws a picture three times: as it is, with the truth, and with what was found.
func picture(ctx context.Context, set *dataset.Set, img dataset.Image, found []trilobite.Detection) (runs.Picture, error) {
	p := runs.Picture{File: img.File}
	pixels, err := load(ctx, img.File, imageio.Options{MinSide: side})
	if err != nil {
		return p, err
	}
	shrink := float64(side) / float64(max(pixels.W, pixels.H))
	if shrink < 1 {
		small, err := pixels.Resize(max(1, int(float64(pixels.W)*shrink)), max(1, int(float64(pixels.H)*shrink)), imageio.Bilinear)
		if err != nil {
			return p, err
		}
		pixels = small
	}
	var truth, answer []imageio.Mark
	for _, o := range img.Objects {
		truth = append(truth, imageio.Mark{Box: corners(o.Box), Text: set.Classes[o.Class], Class: o.Class})
	}
	for _, d := range found {
		answer = append(answer, imageio.Mark{Box: d.Box, Text: fmt.Sprintf("%s %.0f%%", d.Name, 100*d.Score), Class: d.Class})
	}
	for _, v := range []struct {
		to    *[]byte
		marks []imageio.Mark
	}{{&p.Image, nil}, {&p.TruthDraw, truth}, {&p.FoundDraw, answer}} {
		drawn, err := pixels.Draw(v.marks)
		if err != nil {
			return p, err
		}
		if *v.to, err = drawn.EncodeJPEG(quality); err != nil {
			return p, err
		}
	}
	return p, nil
}

func corners(r geom.Rect) geom.Box {
	return geom.Box{X1: float32(r.X), Y1: float32(r.Y), X2: float32(r.X + r.W), Y2: float32(r.Y + r.H)}
}
