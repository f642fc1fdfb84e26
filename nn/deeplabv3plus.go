package nn

import (
	"fmt"

	"trilobite/onnx"
)

// DeepLabV3PlusOptions shape a DeepLabV3+; zero values take the paper's.
type DeepLabV3PlusOptions struct {
	SegmenterOptions
	// High are the strides of the features that the pyramid pools, resized to the first
	// one's size and concatenated: 16; the coarsest where the backbone's taps are named.
	High []int64
	// Low are the finer levels that are merged in, coarse to fine: stride 4; the other
	// taps where they are named.
	Low      []Merge
	Rates    []int64 // dilations of the pyramid's 3×3 convolutions: 6, 12, 18
	Channels int64   // of the head, 256
	// Separable makes the head's 3×3 convolutions depthwise ones, each channel by itself,
	// followed by 1×1 ones, as the paper's section 3.1 does: a sixth of the work or less.
	Separable bool
	// Norm is the head's BatchNorm.
	Norm BatchNormAttrs
	// ClassifyLast puts the classifier after the last upsampling, as Keras' example does.
	// Both orders compute the same, since a 1×1 convolution and a bilinear resize commute;
	// before, it costs a sixteenth, and resizing has Classes channels instead of Channels.
	ClassifyLast bool
}

// Merge is a finer level of features that a decoder takes in.
type Merge struct {
	Stride   int64
	Channels int64 // that the level is reduced to, 48
	Blocks   int64 // 3×3 convolutions after it is merged, 2
}

// DeepLabV3Plus is the encoder and decoder of Chen et al., arXiv:1802.02611, figure 2.
//
// Input "input" (N, 3, Height, Width), prepared as the backbone wants it; output "logits"
// (N, Classes, Height, Width). The backbone's last features feed the pyramid: a 1×1
// convolution of their mean, one of each place, and 3×3 ones of several dilations, all
// concatenated and reduced. It is upsampled, bilinear as everywhere here, and merged with
// finer features.
//
// With the backbone "resnet50_keras" it is the network of Keras' example "Multiclass
// semantic segmentation using DeepLabV3+" (keras.io/examples/vision/deeplabv3_plus), with
// its taps, conv4_block6_2_relu and conv2_block3_2_relu, its BatchNorms and ClassifyLast.
// Every convolution before a BatchNorm is without bias but the mean's.
//
// Parameters: "backbone." and the names of the backbone; in the head, where .0 is the
// convolution and .1 its BatchNorm, "head.pool.0", "head.aspp.I.0" for the 1×1 and each
// rate, "head.project.0", then for each level of stride S "head.skipS.0" and
// "head.mergeS.J.0", and "head.classify". With Separable a 3×3 convolution's .0 is .0.0,
// the depthwise one, and .0.1.
func DeepLabV3Plus(o DeepLabV3PlusOptions) (*Network, error) {
	if o.Backbone.Name == "resnet50_keras" && o.Backbone.Taps == nil {
		o.Backbone.Taps = []string{"conv2_block3_2_relu", "conv4_block6_2_relu"}
		o.Norm = BatchNormAttrs{Epsilon: 1e-3, Momentum: 0.99} // Keras' defaults
		o.ClassifyLast = true
	}
	return segmenter("deeplabv3plus", o.SegmenterOptions, func(m *Module, f *features, size []int64) (*onnx.Value, error) {
		o.defaults(f)
		high, low, err := o.taps(f)
		if err != nil {
			return nil, err
		}
		h := deepLabHead{m.Sub("head"), o}
		x := h.project(h.pyramid(high))
		for i, t := range low {
			x = h.merge(x, t, o.Low[i])
		}
		classify := func(x *onnx.Value) *onnx.Value {
			return h.Conv("classify", x, o.Classes, ConvAttrs{Bias: true, Init: GlorotUniform})
		}
		if o.ClassifyLast {
			return classify(h.upsample(x, size)), nil
		}
		return h.upsample(classify(x), size), nil
	})
}

// defaults fills in what is left out, by the backbone's taps.
func (o *DeepLabV3PlusOptions) defaults(f *features) {
	named := f.named
	if o.High == nil {
		o.High = []int64{16}
		if len(named) > 0 {
			o.High = []int64{named[len(named)-1].Stride}
		}
	}
	if o.Low == nil {
		o.Low = []Merge{{Stride: 4}}
		if len(named) > 1 {
			o.Low = nil
			for i := len(named) - 2; i >= 0; i-- {
				o.Low = append(o.Low, Merge{Stride: named[i].Stride})
			}
		}
	}
	if o.Rates == nil {
		o.Rates = []int64{6, 12, 18}
	}
	o.Channels = or(o.Channels, 256)
}

// taps returns the features that the options ask for.
func (o *DeepLabV3PlusOptions) taps(f *features) (high, low []Tap, err error) {
	last := o.High[0]
	for _, stride := range o.High {
		t, err := f.at(stride)
		if err != nil {
			return nil, nil, err
		}
		high = append(high, t)
	}
	for _, l := range o.Low {
		if l.Stride >= last {
			return nil, nil, fmt.Errorf("deeplabv3plus merges stride %d after stride %d, want finer and finer levels", l.Stride, last)
		}
		t, err := f.at(l.Stride)
		if err != nil {
			return nil, nil, err
		}
		low, last = append(low, t), l.Stride
	}
	return high, low, nil
}

// deepLabHead adds the layers between the backbone and the classifier.
type deepLabHead struct {
	*Module

	o DeepLabV3PlusOptions
}

// unit is convolution, BatchNorm and ReLU.
func (h deepLabHead) unit(name string, x *onnx.Value, out int64, a ConvAttrs) *onnx.Value {
	if h.o.Separable && a.Kernel > 1 && h.sized(name, x, 1) {
		each := a
		each.Group = x.Shape[1]
		x = h.Conv(name+".0.0", x, x.Shape[1], each)
		return h.Relu(h.BatchNorm(name+".1", h.Conv(name+".0.1", x, out, ConvAttrs{}), h.o.Norm))
	}
	return h.Relu(h.BatchNorm(name+".1", h.Conv(name+".0", x, out, a), h.o.Norm))
}

// pyramid returns the branches of atrous spatial pyramid pooling, concatenated.
func (h deepLabHead) pyramid(high []Tap) *onnx.Value {
	x := high[0].Value
	if len(high) > 1 {
		levels := []*onnx.Value{x}
		for _, t := range high[1:] {
			levels = append(levels, h.upsampleLike(t.Value, x))
		}
		x = h.Concat(1, levels...)
	}
	if !h.sized("pool", x, 3) {
		return x
	}
	mean := h.unit("pool", h.GlobalAveragePool(x), h.o.Channels, ConvAttrs{Bias: true})
	branches := []*onnx.Value{
		h.Expand(mean, 1, 1, x.Shape[2], x.Shape[3]), // one place, upsampled
		h.unit("aspp.0", x, h.o.Channels, ConvAttrs{}),
	}
	for i, rate := range h.o.Rates {
		branches = append(branches, h.unit(fmt.Sprintf("aspp.%d", i+1), x, h.o.Channels, ConvAttrs{Kernel: 3, Dilation: rate}))
	}
	return h.Concat(1, branches...)
}

func (h deepLabHead) project(x *onnx.Value) *onnx.Value {
	return h.unit("project", x, h.o.Channels, ConvAttrs{})
}

// merge brings x to the size of a finer level and takes the level in.
func (h deepLabHead) merge(x *onnx.Value, t Tap, l Merge) *onnx.Value {
	x = h.upsampleLike(x, t.Value)
	skip := h.unit(fmt.Sprintf("skip%d", l.Stride), t.Value, or(l.Channels, 48), ConvAttrs{})
	x = h.Concat(1, x, skip)
	for i := range or(l.Blocks, 2) {
		x = h.unit(fmt.Sprintf("merge%d.%d", l.Stride, i), x, h.o.Channels, ConvAttrs{Kernel: 3})
	}
	return x
}
