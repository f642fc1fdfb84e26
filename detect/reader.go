package detect

import (
	"fmt"

	"trilobite"
	"trilobite/ort"
	"trilobite/pipeline"
	"trilobite/tensor"
)

// Reader turns a model's outputs into objects: what a Detector does after the model ran,
// for those who run it themselves, such as a training that evaluates. It is safe for
// concurrent use.
type Reader struct {
	model  string
	decode decoder
	c      Config
}

// NewReader returns a Reader of outputs such as out of the model called name, or says why
// they do not fit the Config, of which the pipeline's size is used.
func NewReader(name string, out []ort.ValueInfo, c Config) (*Reader, error) {
	build, iou, err := kinds(c.Decoder)
	if err != nil {
		return nil, err
	}
	if c.IoU == 0 {
		c.IoU = iou
	}
	if c.Max == 0 {
		c.Max = DefaultMax
	}
	if !(c.IoU > 0 && c.IoU <= 1) || c.Max < 0 || c.Offset < 0 {
		return nil, fmt.Errorf("IoU %v, max %d, offset %d: want an IoU of 0 to 1 and no negative numbers", c.IoU, c.Max, c.Offset)
	}
	decode, err := build(out, c)
	if err != nil {
		return nil, err
	}
	return &Reader{name, decode, c}, nil
}

// Labels returns the names by class, with empty ones for classes that do not exist.
func (r *Reader) Labels() []string { return r.c.Labels }

// Read returns the objects of one image whose score is at least minScore (and Floor),
// best first. m takes them to pixels of the upright image at its full size.
func (r *Reader) Read(out []*tensor.Tensor, m pipeline.Mapping, minScore float32) []trilobite.Detection {
	found := suppress(r.named(r.decode(out, max(minScore, Floor))), r.c.IoU, r.c.Max)
	detections := make([]trilobite.Detection, 0, len(found))
	for _, c := range found {
		box := m.ToImage(c.box)
		if !(box.X2 > box.X1 && box.Y2 > box.Y1) {
			continue // in the letterbox's margin, or no box at all
		}
		class := c.class + r.c.Offset
		detections = append(detections, trilobite.Detection{
			Class: class, Name: r.c.Labels[class], Score: c.score, Box: box, Model: r.model,
		})
	}
	return detections
}

// named drops the candidates of classes without a name.
func (r *Reader) named(all []candidate) []candidate {
	kept := all[:0]
	for _, c := range all {
		if i := c.class + r.c.Offset; i < len(r.c.Labels) && r.c.Labels[i] != "" {
			kept = append(kept, c)
		}
	}
	return kept
}
