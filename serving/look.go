package serving

import (
	"context"
	"fmt"
	"time"

	"trilobite"
	"trilobite/imageio"
	"trilobite/segment"
	"trilobite/zoo"
)

// Params say what to ask a model about an image.
type Params struct {
	Task     string   // that the model must have: zoo.Detect, Classify or Segment; "" takes any
	MinScore *float32 // of boxes and classes, 0 to 1; nil: 0.5 for boxes, 0 for classes
	Most     int      // boxes or classes to answer; 0: all
	Overlay  bool     // of a mask: paint it over the image
	Classes  bool     // of a mask: its classes alone, without confidence
}

// Seen is what a model saw in an image: one of the lists or the mask, as its task is.
type Seen struct {
	Model         zoo.Model
	Width, Height int // pixels, upright
	Classes       []trilobite.Classification
	Objects       []trilobite.Detection
	Mask          *segment.Mask
	Overlay       *imageio.Image // where Params asked for it
}

// defaultMinScore is from what score on a box counts where nobody says.
const defaultMinScore = 0.5

// Look asks a model about an image file. It fails as Use does, with InvalidImage or
// ImageTooLarge for the file, Unsupported where the model has another task, and Throttled
// when too much is under way. A panic on the way is an error too.
func (r *Registry) Look(ctx context.Context, ref string, image []byte, p Params) (seen *Seen, err error) {
	defer Caught(&err)
	m, done, err := r.Use(ctx, ref)
	if err != nil {
		return nil, err
	}
	defer done()
	if p.Task != "" && m.Task != p.Task {
		return nil, &trilobite.Error{
			Op: "serving.Look", Code: trilobite.Unsupported, Msg: fmt.Sprintf("Model %s has task %s, not %s.", m.Ref(), m.Task, p.Task),
		}
	}
	given, err := r.Turn(ctx)
	if err != nil {
		return nil, err
	}
	defer given()
	if seen, err = r.look(ctx, m, image, p); err != nil {
		return nil, err
	}
	if p.Overlay && seen.Mask != nil {
		seen.Overlay, err = r.overlay(ctx, seen.Mask, image)
	}
	return seen, err
}

func (r *Registry) look(ctx context.Context, m *Model, image []byte, p Params) (*Seen, error) {
	start := time.Now()
	img, release, err := r.Decode(ctx, image, m.Loading())
	if err != nil {
		return nil, err
	}
	defer release()
	r.c.Recorder.Observe("decode", "", time.Since(start))
	seen := &Seen{Model: m.Model, Width: img.FullW, Height: img.FullH}
	return seen, m.look(ctx, img, p, seen)
}

// overlay paints a mask over its image, which is decoded once more, at full size: what the
// model sees does not depend on what else is asked.
func (r *Registry) overlay(ctx context.Context, mask *segment.Mask, image []byte) (*imageio.Image, error) {
	img, release, err := r.Decode(ctx, image, imageio.Options{})
	if err != nil {
		return nil, err
	}
	defer release()
	return mask.Overlay(img)
}

func (m *Model) look(ctx context.Context, img *imageio.Image, p Params, seen *Seen) (err error) {
	minScore := float32(0)
	if p.MinScore != nil {
		minScore = *p.MinScore
	} else if m.Detector != nil {
		minScore = defaultMinScore
	}
	switch {
	case m.Detector != nil:
		seen.Objects, err = m.Detector.Detect(ctx, img, max(minScore, m.Decoder.MinScore))
		if p.Most > 0 && len(seen.Objects) > p.Most {
			seen.Objects = seen.Objects[:p.Most]
		}
	case m.Classifier != nil:
		seen.Classes, err = m.Classifier.Classify(ctx, img, minScore, p.Most)
	case p.Classes:
		seen.Mask, err = m.Segmenter.Classes(ctx, img)
	default:
		seen.Mask, err = m.Segmenter.Segment(ctx, img)
	}
	return err
}
