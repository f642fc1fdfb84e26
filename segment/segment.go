// Package segment names every pixel: image in, a mask of class indices out.
//
// A Segmenter prepares the image (pipeline), runs the model (ort), interpolates its scores
// to the image's full size and takes the best class of each pixel (decode.go); the scores of
// tiles are blended where they overlap (mosaic.go). A Mask
// tells areas, outlines and confidence, and writes itself as PNG (png.go). Start at New
// and Segmenter.Segment.
package segment

import (
	"context"
	"fmt"
	"time"

	"trilobite/imageio"
	"trilobite/ort"
	"trilobite/pipeline"
	"trilobite/tensor"
)

// Config says how a model is fed and read; a model's card holds it.
type Config struct {
	Pipeline pipeline.Spec // it shows the whole image: its resize is exact or letterbox
	Decoder  string        // "mask"
	Labels   []string      // names by class, the background among them
	Recorder Recorder
}

// Recorder receives the time of the stages "preprocess" and "postprocess".
type Recorder interface {
	Observe(stage, model string, d time.Duration)
}

// Segmenter is a model with its preparation, safe for concurrent use.
type Segmenter struct {
	model     *ort.Model
	transform *pipeline.Transform
	c         Config
}

// New returns a Segmenter, or says why the model does not fit the Config. The model
// stays the caller's to close.
func New(m *ort.Model, c Config) (*Segmenter, error) {
	s, err := newSegmenter(m, c)
	if err != nil {
		return nil, fmt.Errorf("segmentation model %s: %w", m.Name(), err)
	}
	return s, nil
}

func newSegmenter(m *ort.Model, c Config) (*Segmenter, error) {
	if c.Decoder != "mask" {
		return nil, fmt.Errorf("decoder %q: not mask", c.Decoder)
	}
	t, err := pipeline.Compile(c.Pipeline)
	if err != nil {
		return nil, err
	}
	if err := c.Pipeline.ForMask(); err != nil {
		return nil, err
	}
	in := m.Inputs()
	if len(in) != 1 {
		return nil, fmt.Errorf("it has %d inputs %v, want the image alone", len(in), in)
	}
	if err := t.Feeds(in[0].DType, in[0].Shape); err != nil {
		return nil, fmt.Errorf("input %s: %w", in[0], err)
	}
	if err := fits(m.Outputs(), len(c.Labels)); err != nil {
		return nil, err
	}
	return &Segmenter{model: m, transform: t, c: c}, nil
}

// Spec returns the preprocessing.
func (s *Segmenter) Spec() pipeline.Spec { return s.transform.Spec() }

// Loading returns how one file is best decoded for Segment and Classes.
func (s *Segmenter) Loading() imageio.Options { return s.transform.Loading() }

// Labels returns the names by class.
func (s *Segmenter) Labels() []string { return s.c.Labels }

// Segment returns the class of every pixel of the image at its full size, FullW×FullH, and
// how sure the model is of it.
func (s *Segmenter) Segment(ctx context.Context, img *imageio.Image) (*Mask, error) {
	return s.segment(ctx, img, true)
}

// Classes is Segment without the confidence, which is most of the work beside the model's.
func (s *Segmenter) Classes(ctx context.Context, img *imageio.Image) (*Mask, error) {
	return s.segment(ctx, img, false)
}

func (s *Segmenter) segment(ctx context.Context, img *imageio.Image, sure bool) (*Mask, error) {
	start := time.Now()
	tiles := mosaic{spec: s.c.Pipeline, sure: sure}
	var m *Mask
	var all pipeline.Mapping
	err := s.transform.Parts(img, func(p pipeline.Part) error {
		s.observe("preprocess", start)
		out, err := s.model.Run(ctx, []*tensor.Tensor{p.X})
		s.transform.Recycle(p.X)
		if err != nil {
			return err
		}
		start = time.Now()
		if all = p.All; !s.c.Pipeline.Tiled() {
			m, err = decodeTurned(out[0], s.c.Labels, s.c.Pipeline, p.Mapping.Straight(), sure)
		} else {
			err = tiles.add(out[0], s.c.Labels, p)
			m = tiles.m
		}
		s.model.Recycle(out)
		if err != nil {
			return fmt.Errorf("segmentation model %s: %w", s.model.Name(), err)
		}
		s.observe("postprocess", start)
		start = time.Now()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return m.upright(all), nil
}

func (s *Segmenter) observe(stage string, since time.Time) {
	if s.c.Recorder != nil {
		s.c.Recorder.Observe(stage, s.model.Name(), time.Since(since))
	}
}
