// Package detect finds objects: image in, boxes with names and scores out.
//
// A Detector prepares the image (pipeline), runs the model (ort), and reads its
// outputs with the decoder of its kind: ssd.go, yolox.go, yolov8.go, fcos.go and boxes.go each
// document the outputs they expect, and New refuses a model that has others. What is common
// follows in suppress.go: class-wise non-maximum suppression, and the best first.
//
// Start at New and Detector.Detect.
package detect

import (
	"context"
	"fmt"
	"time"

	"trilobite"
	"trilobite/imageio"
	"trilobite/ort"
	"trilobite/pipeline"
	"trilobite/tensor"
)

// Config says how a model is fed and read; a model's card holds it.
type Config struct {
	Pipeline pipeline.Spec
	Decoder  string   // "ssd", "yolox", "yolov8", "fcos" or "boxes"
	Labels   []string // names by class; a class with an empty name is never answered
	// Offset is added to the model's class before Labels is asked: 1 for a model that
	// counts from 0 with labels that begin with a background.
	Offset int
	// Background says that the first column of an ssd's scores is the background.
	Background bool
	IoU        float32 // overlap above which the weaker box falls; 0: the decoder's own
	Max        int     // boxes in an answer; 0: DefaultMax
	Recorder   Recorder
}

// DefaultMax is COCO's limit of detections in an image, and TensorFlow's of an SSD.
const DefaultMax = 100

// Floor is the lowest score that is ever answered. Anchors are thousands, and nearly
// all of their scores lie below it: it bounds the work of a request for everything.
const Floor = 0.01

// Recorder receives the time of the stages "preprocess" and "postprocess".
type Recorder interface {
	Observe(stage, model string, d time.Duration)
}

// Detector is a model with its preparation and its decoder, safe for concurrent use.
type Detector struct {
	*Reader

	model     *ort.Model
	transform *pipeline.Transform
}

// decoder reads a model's outputs for one image: every class of every box whose score
// is at least minScore, boxes in pixels of the model's input. A score or a box that is
// not a number is left out.
type decoder func(out []*tensor.Tensor, minScore float32) []candidate

// kinds are the decoders by name, with their usual IoU for suppression.
func kinds(name string) (build func([]ort.ValueInfo, Config) (decoder, error), iou float32, err error) {
	switch name {
	case "ssd":
		return newSSD, 0.6, nil // of TensorFlow's ssd_mobilenet_v2_coco.config
	case "yolox":
		return newYOLOX, 0.65, nil // nmsthre of YOLOX's exps
	case "yolov8":
		return newYOLOv8, 0.7, nil // iou of Ultralytics' default.yaml
	case "fcos":
		return newFCOS, 0.6, nil // nms_thresh of torchvision's FCOS
	case "boxes":
		return newBoxes, 1, nil // nothing overlaps by more: the model has suppressed
	default:
		return nil, 0, fmt.Errorf("decoder %q: not one of ssd, yolox, yolov8, fcos, boxes", name)
	}
}

// New returns a Detector, or says why the model does not fit the Config: the shapes
// that the decoder expects, and those that the model has. The model stays the
// caller's to close.
func New(m *ort.Model, c Config) (*Detector, error) {
	d, err := newDetector(m, c)
	if err != nil {
		return nil, fmt.Errorf("detection model %s: %w", m.Name(), err)
	}
	return d, nil
}

func newDetector(m *ort.Model, c Config) (*Detector, error) {
	t, err := pipeline.Compile(c.Pipeline)
	if err != nil {
		return nil, err
	}
	in := m.Inputs()
	if len(in) != 1 {
		return nil, fmt.Errorf("it has %d inputs %v, want the image alone", len(in), in)
	}
	if err := t.Feeds(in[0].DType, in[0].Shape); err != nil {
		return nil, fmt.Errorf("input %s: %w", in[0], err)
	}
	r, err := NewReader(m.Name(), m.Outputs(), c)
	if err != nil {
		return nil, err
	}
	return &Detector{Reader: r, model: m, transform: t}, nil
}

// Spec returns the preprocessing.
func (d *Detector) Spec() pipeline.Spec { return d.transform.Spec() }

// Loading returns how one file is best decoded for Detect.
func (d *Detector) Loading() imageio.Options { return d.transform.Loading() }

// Detect returns the objects in an image whose score is at least minScore (and Floor),
// best first, boxes in pixels of the upright image at its full size.
func (d *Detector) Detect(ctx context.Context, img *imageio.Image, minScore float32) ([]trilobite.Detection, error) {
	start := time.Now()
	var parts []part
	err := d.transform.Parts(img, func(p pipeline.Part) error {
		d.observe("preprocess", start)
		out, err := d.model.Run(ctx, []*tensor.Tensor{p.X})
		d.transform.Recycle(p.X)
		if err != nil {
			return err
		}
		start = time.Now()
		parts = append(parts, part{d.Read(out, p.Mapping, minScore), p.Cut})
		d.model.Recycle(out)
		d.observe("postprocess", start)
		start = time.Now()
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(parts) == 1 {
		return parts[0].found, nil
	}
	return join(parts, d.c.IoU, d.c.Max), nil
}

func (d *Detector) observe(stage string, since time.Time) {
	if d.c.Recorder != nil {
		d.c.Recorder.Observe(stage, d.model.Name(), time.Since(since))
	}
}
