package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"

	"trilobite/dataset"
	"trilobite/evaluate"
	"trilobite/imageio"
	"trilobite/onnx"
	"trilobite/runs"
	"trilobite/segment"
	"trilobite/zoo"
)

const (
	worstMasks  = 12  // pictures in the report
	worstSide   = 480 // pixels of their longer side
	worstJPEG   = 80  // quality
	reportModel = "the trained segmentation model"
)

// reportSegmenter measures a model as it is served on its validation pictures, at the
// masks' own size, and draws the worst answers.
func reportSegmenter(ctx context.Context, t *training, m *trainResult, set *dataset.Set) (*runs.Evaluation, error) {
	data, err := onnx.Marshal(m.graph)
	if err != nil {
		return nil, err
	}
	o := t.options
	o.Name, o.MaxQueue = reportModel, 1<<20
	session, err := t.runtime.LoadBytes(ctx, data, o)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	s, err := segment.New(session, segment.Config{Pipeline: m.card.Pipeline, Decoder: m.card.Decoder.Name, Labels: set.Classes})
	if err != nil {
		return nil, err
	}
	var labels zoo.Labels
	labels.Classes = make([]zoo.Class, len(set.Classes)) // they are the set's: by number
	seen, _, err := evaluate.Segment(ctx, s, labels, set, evaluate.Options{
		Parallel: 2 * t.runtime.Cores(), ByIndex: true, Skip: func(int, error) {}, // the training has reported it
	})
	if err != nil {
		return nil, err
	}
	e := runs.FromConfusion(set.Classes, seen.Confusion, true)
	e.Images = len(set.Images)
	for c, name := range set.Classes {
		e.Key = append(e.Key, runs.KeyColor{Name: name, Color: imageio.ClassColor(c)})
	}
	order := make([]int, 0, len(set.Images))
	for i, iou := range seen.MIoU {
		if iou >= 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(seen.MIoU[a], seen.MIoU[b]) })
	for _, i := range order[:min(worstMasks, len(order))] {
		p, err := worstMask(ctx, s, set, &set.Images[i])
		if err != nil {
			return nil, err
		}
		p.Note = fmt.Sprintf("mIoU %.3f", seen.MIoU[i])
		e.Worst = append(e.Worst, p)
	}
	return &e, nil
}

// worstMask draws a picture as it is, with its true classes, and with those found.
func worstMask(ctx context.Context, s *segment.Segmenter, set *dataset.Set, img *dataset.Image) (runs.Picture, error) {
	p := runs.Picture{File: img.File}
	data, err := os.ReadFile(img.File)
	if err != nil {
		return p, err
	}
	seen, err := imageio.Decode(ctx, data, s.Loading())
	if err != nil {
		return p, err
	}
	found, err := s.Segment(ctx, seen)
	if err != nil {
		return p, err
	}
	truth, err := evaluate.Truth(set, img)
	if err != nil {
		return p, err
	}
	shown, err := imageio.Decode(ctx, data, imageio.Options{MinSide: worstSide})
	if err != nil {
		return p, err
	}
	if shrink := float64(worstSide) / float64(max(shown.W, shown.H)); shrink < 1 {
		w, h := shown.FullW, shown.FullH
		if shown, err = shown.Resize(max(1, int(float64(shown.W)*shrink)), max(1, int(float64(shown.H)*shrink)), imageio.Bilinear); err != nil {
			return p, err
		}
		shown.FullW, shown.FullH = w, h
	}
	known := &segment.Mask{W: truth.W, H: truth.H, Class: truth.Pix, Labels: set.Classes}
	if set.Ignore >= 0 { // drawn as nothing
		known.Labels = slices.Clone(set.Classes)
		for len(known.Labels) <= set.Ignore {
			known.Labels = append(known.Labels, "ignore")
		}
	}
	if p.Image, err = shown.EncodeJPEG(worstJPEG); err != nil {
		return p, err
	}
	for _, v := range []struct {
		to   *[]byte
		mask *segment.Mask
	}{{&p.TruthDraw, known}, {&p.FoundDraw, found}} {
		if *v.to, err = v.mask.Tint(shown).EncodeJPEG(worstJPEG); err != nil {
			return p, err
		}
	}
	return p, nil
}
