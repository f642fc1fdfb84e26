package segment

import (
	"fmt"

	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/tensor"
)

// maxClasses is what fits in a mask's bytes.
const maxClasses = 256

// Mask holds a class for each place of a W×H grid over the whole image, rows first.
type Mask struct {
	W, H   int
	Class  []uint8 // index into Labels
	Labels []string

	fullW, fullH float32 // of the image, pixels
}

// At returns the class at a point of the upright image, in its pixels; points outside
// count as the nearest inside.
func (m *Mask) At(x, y float32) uint8 {
	col := min(max(int(x/m.fullW*float32(m.W)), 0), m.W-1)
	row := min(max(int(y/m.fullH*float32(m.H)), 0), m.H-1)
	return m.Class[row*m.W+col]
}

// Areas returns the share of the image that each class covers, 0 to 1, by class.
func (m *Mask) Areas() []float32 {
	count := make([]int, len(m.Labels))
	for _, c := range m.Class {
		count[c]++
	}
	areas := make([]float32, len(count))
	for i, n := range count {
		areas[i] = float32(n) / float32(len(m.Class))
	}
	return areas
}

// fits reports whether the outputs can be decoded: one of
//
//	scores   float32 [1, C, H, W]  logits or probabilities; the largest wins
//	classes  int64 [1, H, W]       indices, when the graph ends in its ArgMax
func fits(out []ort.ValueInfo, classes int) error {
	ok := false
	if len(out) == 1 && classes > 0 && classes <= maxClasses {
		s := out[0].Shape
		switch {
		case out[0].DType == tensor.Float32 && len(s) == 4:
			ok = s[0] <= 1 && (s[1] < 0 || s[1] == int64(classes))
		case out[0].DType == tensor.Int64 && len(s) == 3:
			ok = s[0] <= 1
		}
	}
	if !ok {
		return fmt.Errorf("decoder mask expects one output, float32 [1,%d,H,W] or int64 [1,H,W], for %d labels (%d at most), the model has %v",
			classes, classes, maxClasses, out)
	}
	return nil
}

func decode(out *tensor.Tensor, labels []string) (*Mask, error) {
	if d, ok := tensor.Data[int64](out); ok && len(out.Shape) == 3 {
		m := &Mask{W: int(out.Shape[2]), H: int(out.Shape[1]), Class: make([]uint8, len(d)), Labels: labels}
		for i, c := range d {
			if c < 0 || c >= int64(len(labels)) {
				return nil, fmt.Errorf("class %d in the mask, there are %d labels", c, len(labels))
			}
			m.Class[i] = uint8(c)
		}
		return m, m.check()
	}
	d, ok := tensor.Data[float32](out)
	if !ok || len(out.Shape) != 4 || out.Shape[0] != 1 || out.Shape[1] != int64(len(labels)) {
		return nil, fmt.Errorf("output %s %s, want [1,%d,H,W]", out.DType, onnx.Shape(out.Shape), len(labels))
	}
	m := &Mask{W: int(out.Shape[3]), H: int(out.Shape[2]), Labels: labels}
	n := m.W * m.H
	m.Class = make([]uint8, n)
	if err := m.check(); err != nil {
		return nil, err
	}
	best := append([]float32(nil), d[:n]...)
	for c := 1; c < len(labels); c++ {
		for i, s := range d[c*n : (c+1)*n] {
			if s > best[i] {
				best[i], m.Class[i] = s, uint8(c)
			}
		}
	}
	return m, nil
}

func (m *Mask) check() error {
	if m.W < 1 || m.H < 1 || len(m.Class) != m.W*m.H {
		return fmt.Errorf("a mask of %d×%d places and %d classes", m.W, m.H, len(m.Class))
	}
	return nil
}
