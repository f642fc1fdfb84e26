package segment

import (
	"fmt"
	"runtime"
	"sync"

	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/pipeline"
	"trilobite/tensor"
)

// maxClasses is what fits in a mask's bytes.
const maxClasses = 256

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

// decode makes a mask of the image's full size from the model's output, whose places
// spread evenly over the model's input. Without sure it has no confidence, which is most
// of the work; its classes are the same.
func decode(out *tensor.Tensor, labels []string, p pipeline.Spec, mapping pipeline.Mapping, sure bool) (*Mask, error) {
	m, err := decodeTurned(out, labels, p, mapping.Straight(), sure)
	if err != nil {
		return nil, err
	}
	return m.upright(mapping), nil
}

// upright turns back what steps have turned; what a crop left out is class 0.
func (m *Mask) upright(mapping pipeline.Mapping) *Mask {
	mapping.Upright(m.Class, m.Confidence)
	w, h := mapping.Size()
	m.W, m.H = int(w), int(h)
	return m
}

// decodeTurned makes the mask of the image as the pipeline's steps turned it.
func decodeTurned(out *tensor.Tensor, labels []string, p pipeline.Spec, mapping pipeline.Mapping, sure bool) (*Mask, error) {
	w, h := mapping.Size()
	m := &Mask{W: int(w), H: int(h), Labels: labels}
	m.Class = make([]uint8, m.W*m.H)
	if err := m.check(); err != nil {
		return nil, err
	}
	if d, ok := tensor.Data[int64](out); ok && len(out.Shape) == 3 && len(d) > 0 {
		s := newSampling(m, p, mapping, int(out.Shape[2]), int(out.Shape[1]))
		return m, s.indices(d)
	}
	if err := checkScores(out, labels); err != nil {
		return nil, err
	}
	if sure {
		m.Confidence = make([]uint8, len(m.Class))
	}
	d, _ := tensor.Data[float32](out)
	newSampling(m, p, mapping, int(out.Shape[3]), int(out.Shape[2])).scores(d)
	return m, nil
}

// checkScores refuses an output that is no scores (1, C, H, W).
func checkScores(out *tensor.Tensor, labels []string) error {
	if d, ok := tensor.Data[float32](out); !ok || len(d) == 0 || len(out.Shape) != 4 || out.Shape[0] != 1 || out.Shape[1] != int64(len(labels)) {
		return fmt.Errorf("output %s %s, want [1,%d,H,W]", out.DType, onnx.Shape(out.Shape), len(labels))
	}
	return nil
}

// sampling says which two columns and rows of the output lie around the centre of each
// column and row of the mask. Outside the output its edge goes on. Where the model saw
// the whole image stretched, this is PyTorch's interpolate, bilinear, align_corners false.
type sampling struct {
	m    *Mask
	w, h int // of the output
	x, y []neighbours
}

type neighbours struct {
	a, b int
	t    float32 // weight of b, 0 to 1
}

func newSampling(m *Mask, p pipeline.Spec, mapping pipeline.Mapping, w, h int) sampling {
	s := sampling{m: m, w: w, h: h, x: make([]neighbours, m.W), y: make([]neighbours, m.H)}
	fx, fy := float64(w)/float64(p.Width), float64(h)/float64(p.Height)
	for i := range s.x {
		x, _ := mapping.FromImage(float64(i)+0.5, 0)
		s.x[i] = around(x*fx-0.5, w)
	}
	for i := range s.y {
		_, y := mapping.FromImage(0, float64(i)+0.5)
		s.y[i] = around(y*fy-0.5, h)
	}
	return s
}

// around returns the elements of n around a position.
func around(at float64, n int) neighbours {
	at = max(0, min(at, float64(n-1)))
	a := int(at)
	return neighbours{a, min(a+1, n-1), float32(at - float64(a))}
}

// nearest returns the closer of the two.
func (n neighbours) nearest() int {
	if n.t >= 0.5 {
		return n.b
	}
	return n.a
}

// indices fills the mask from class indices (h, w), each pixel from the nearest.
func (s sampling) indices(d []int64) error {
	for _, c := range d {
		if c < 0 || c >= int64(len(s.m.Labels)) {
			return fmt.Errorf("class %d in the mask, there are %d labels", c, len(s.m.Labels))
		}
	}
	for i, y := range s.y {
		row := d[y.nearest()*s.w : (y.nearest()+1)*s.w]
		for j, x := range s.x {
			s.m.Class[i*s.m.W+j] = uint8(row[x.nearest()])
		}
	}
	return nil
}

// of interpolates a row of the output.
func (n neighbours) of(row []float32) float32 { return row[n.a] + (row[n.b]-row[n.a])*n.t }

// scores fills the mask from logits or probabilities (C, h, w), interpolated: the class
// of the largest, and where it is wanted its probability, by a softmax where d are
// logits. A score that is not a number never wins.
func (s sampling) scores(d []float32) {
	logits := s.m.Confidence != nil && !probabilities(d, len(s.m.Labels))
	bands := min(runtime.GOMAXPROCS(0), s.m.H)
	var work sync.WaitGroup
	for b := range bands {
		work.Go(func() {
			r := newRow(s, logits)
			for i := b * s.m.H / bands; i < (b+1)*s.m.H/bands; i++ {
				r.fill(i, d)
			}
		})
	}
	work.Wait()
}

// probabilities reports whether d (C, n) is a distribution over C at each of n places;
// logits never are, all of them.
func probabilities(d []float32, classes int) bool {
	n := len(d) / classes
	for i := range n {
		sum := float32(0)
		for c := range classes {
			p := d[c*n+i]
			if !(p >= 0) {
				return false
			}
			sum += p
		}
		if !(sum > 0.999 && sum < 1.001) {
			return false
		}
	}
	return true
}
