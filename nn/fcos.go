package nn

import (
	"errors"
	"fmt"

	"trilobite/onnx"
	"trilobite/tensor"
)

// DetectorOptions shape a one-stage detector; zero values take torchvision's of FCOS.
type DetectorOptions struct {
	Backbone      BackboneOptions
	Classes       int64   // without a background; must be given
	Height, Width int64   // 512
	Strides       []int64 // of the taps, finest first: 8, 16, 32; the named taps' if named
	Neck          PyramidOptions
	// Convs counts the 3×3 convolutions of each branch of the head, 4. At stride 8 they
	// are most of the work: two of 96 channels do for a few classes.
	Convs int64
	// Norm is "group" (of 32, or as many as divide the channels) or "batch": convolutions
	// shared by all levels, each level with a BatchNorm of its own (Lyu et al., RTMDet,
	// arXiv:2212.07784, section 3.2), which a simplified model no longer pays for.
	Norm string
	// Scales multiplies each level's distances by a parameter of its own.
	Scales bool
	// Exponential makes distances exp(x) strides (FCOS as first published, with Scales)
	// rather than ReLU(x), which passes no gradient where it is 0.
	Exponential bool
	// Corner puts the location of a cell at its upper left corner, as torchvision does,
	// rather than at its centre, as the paper does.
	Corner bool
}

// Detector is a one-stage, anchor-free detector: every cell of every level names the
// class of the object that it lies in and the distances to its sides.
type Detector struct {
	*Network

	Levels []Level
	Corner bool // see DetectorOptions
}

// Level is a grid of locations, Stride pixels apart.
type Level struct{ Stride, Height, Width int64 }

// FCOS is the detector of Tian et al., arXiv:1904.01355, figure 2.
//
// Input "input" (N, 3, Height, Width), prepared as the backbone wants it. Outputs, over
// the A locations of all levels, finest first, row by row:
//
//	logits   (N, A, Classes)  of each class on its own
//	boxes    (N, A, 4)        xyxy, pixels of the input, not clipped
//	quality  (N, A)           logits of how well the box fits: centerness or IoU, as trained
//
// A location at (x, y) with distances l, t, r, b, each ReLU of the head's answer times the
// level's stride, is the box (x−l, y−t, x+r, y+b). A class's score is the geometric mean of
// its probability and the quality's (torchvision), as decoder "fcos" of package detect
// reads it; loss.FCOS trains the outputs, with targets of Detector.Assign.
//
// Parameters are "backbone." and the backbone's, "fpn." and those of FeaturePyramid, and
// torchvision's "head.classification_head.conv.I", ".cls_logits",
// "head.regression_head.conv.I", ".bbox_reg" and ".bbox_ctrness", where I counts
// convolution, norm and ReLU; the BatchNorm of level L is "conv.I.L". Scales are
// "head.scales.L". The head starts from a normal distribution of deviation 0.01, its
// classes from a prior of 0.01.
func FCOS(o DetectorOptions) (*Detector, error) {
	if err := o.defaults(); err != nil {
		return nil, fmt.Errorf("fcos: %w", err)
	}
	b := onnx.NewBuilder("fcos")
	m := NewModule(b)
	x := b.Input("input", tensor.Float32, onnx.Shape{b.Dim("N"), 3, o.Height, o.Width})
	f, err := m.backbone(x, o.Backbone)
	if err != nil {
		return nil, fmt.Errorf("fcos: %w", err)
	}
	taps, err := f.all(o.Strides, []int64{8, 16, 32})
	if err != nil {
		return nil, fmt.Errorf("fcos: %w", err)
	}
	pyramid := FeaturePyramid(m.Sub("fpn"), taps, o.Neck)
	d := &Detector{Corner: o.Corner}
	for _, t := range pyramid {
		if !m.sized("head", t.Value, 3) {
			break
		}
		d.Levels = append(d.Levels, Level{t.Stride, t.Value.Shape[2], t.Value.Shape[3]})
	}
	if b.Err() == nil {
		fcosHead{m.Sub("head"), o, d}.outputs(pyramid)
	}
	d.Network, err = finish(m, f.used)
	return d, err
}

func (o *DetectorOptions) defaults() error {
	o.Height, o.Width, o.Convs = or(o.Height, 512), or(o.Width, 512), or(o.Convs, 4)
	o.Neck.Channels = or(o.Neck.Channels, 256)
	if o.Norm == "" {
		o.Norm = "group"
	}
	switch {
	case o.Classes < 1:
		return fmt.Errorf("%d classes", o.Classes)
	case o.Norm != "group" && o.Norm != "batch":
		return fmt.Errorf("norm %q, want group or batch", o.Norm)
	case o.Height < 1 || o.Width < 1 || o.Convs < 1 || o.Neck.Channels < 1 || o.Neck.Extra < 0 || o.Neck.Extra > 2:
		return errors.New("sizes, convolutions and channels of less than 1, or more than 2 extra levels")
	}
	return nil
}

// fcosHead adds the layers that all levels share.
type fcosHead struct {
	*Module

	o DetectorOptions
	d *Detector
}

// layer is applied to the features of a level, which is counted from 0.
type layer func(x *onnx.Value, level int) *onnx.Value

var headInit = Normal(0.01) // torchvision's fcos.py, and the paper's code

// outputs names the three outputs, each level's flattened and all concatenated.
func (h fcosHead) outputs(pyramid []Tap) {
	classes, regression := h.Sub("classification_head"), h.Sub("regression_head")
	classTower, boxTower := h.tower(classes), h.tower(regression)
	last := func(m *Module, name string, out int64, bias Initialiser) layer {
		conv := m.SharedConv(name, h.o.Neck.Channels, out, ConvAttrs{Kernel: 3, Bias: true, Init: headInit, BiasInit: bias})
		return func(x *onnx.Value, _ int) *onnx.Value { return h.flat(conv(x), out) }
	}
	classify := last(classes, "cls_logits", h.o.Classes, FocalPrior(0.01))
	distances := last(regression, "bbox_reg", 4, nil)
	quality := last(regression, "bbox_ctrness", 1, nil)
	var logits, boxes, qualities []*onnx.Value
	for i, t := range pyramid {
		logits = append(logits, classify(classTower(t.Value, i), i))
		x := boxTower(t.Value, i)
		boxes = append(boxes, h.boxes(distances(x, i), i))
		qualities = append(qualities, quality(x, i))
	}
	h.Output("logits", h.Concat(1, logits...))
	h.Output("boxes", h.Concat(1, boxes...))
	h.Output("quality", h.Squeeze(h.Concat(1, qualities...), 2))
}

// tower is the convolutions of a branch.
func (h fcosHead) tower(m *Module) layer {
	channels := h.o.Neck.Channels
	var layers []layer
	for i := range h.o.Convs {
		name := fmt.Sprintf("conv.%d", 3*i)
		batch := h.o.Norm == "batch"
		conv := m.SharedConv(name, channels, channels, ConvAttrs{Kernel: 3, Bias: !batch, Init: headInit})
		norm := fmt.Sprintf("conv.%d", 3*i+1)
		var normalise layer
		if batch {
			normalise = func(x *onnx.Value, level int) *onnx.Value {
				return m.BatchNorm(fmt.Sprintf("%s.%d", norm, level), x, BatchNormAttrs{})
			}
		} else {
			normalise = m.sharedGroupNorm(norm, channels)
		}
		layers = append(layers, func(x *onnx.Value, level int) *onnx.Value { return m.Relu(normalise(conv(x), level)) })
	}
	return func(x *onnx.Value, level int) *onnx.Value {
		for _, l := range layers {
			x = l(x, level)
		}
		return x
	}
}

// sharedGroupNorm normalises 32 groups, or as many as divide the channels.
func (m *Module) sharedGroupNorm(name string, channels int64) layer {
	groups := min(int64(32), channels)
	for channels%groups != 0 {
		groups--
	}
	sub := m.Sub(name)
	scale, bias := sub.Param("weight", 1, channels), sub.Param("bias", 0, channels)
	return func(x *onnx.Value, _ int) *onnx.Value { return m.GroupNormalization(x, scale, bias, groups, 1e-5) }
}

// boxes turns a level's answers (N, H·W, 4) into boxes in pixels.
func (h fcosHead) boxes(x *onnx.Value, level int) *onnx.Value {
	if h.o.Scales {
		x = h.Mul(x, h.Sub("scales").Param(fmt.Sprint(level), 1))
	}
	if h.o.Exponential {
		x = h.Exp(x)
	} else {
		x = h.Relu(x)
	}
	l := h.d.Levels[level]
	s := float32(l.Stride)
	n := l.Height * l.Width
	origin := make([]float32, 0, 4*n)
	for i := range n {
		x, y := h.d.location(l, i)
		origin = append(origin, x, y, x, y)
	}
	signs := h.Const("", tensor.Of([]int64{1, 1, 4}, []float32{-s, -s, s, s}))
	return h.Add(h.Mul(x, signs), h.Const("", tensor.Of([]int64{1, n, 4}, origin)))
}

// location is the place in pixels of cell i of a level, counted row by row.
func (d *Detector) location(l Level, i int64) (x, y float32) {
	half := float32(0.5)
	if d.Corner {
		half = 0
	}
	s := float32(l.Stride)
	return (float32(i%l.Width) + half) * s, (float32(i/l.Width) + half) * s
}

// flat reshapes (N, C, H, W) to (N, H·W, C).
func (h fcosHead) flat(x *onnx.Value, channels int64) *onnx.Value {
	return h.Reshape(h.Transpose(x, 0, 2, 3, 1), 0, -1, channels)
}
