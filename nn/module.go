package nn

import (
	"cmp"
	"fmt"

	"trilobite/onnx"
	"trilobite/tensor"
)

// Module adds layers to a graph under a prefix of parameter names, as a torch.nn.Module
// does with its attributes: Sub("layer1").Conv("conv1", …) makes "layer1.conv1.weight".
// Its layers return the feature map that they compute; errors wait in the Builder.
type Module struct {
	*onnx.Builder
	prefix string
	state  *state
}

// state is what the modules of one network share.
type state struct {
	params []*onnx.Value
	init   map[*onnx.Value]Initialiser
}

// NewModule returns a module without prefix that adds to b.
func NewModule(b *onnx.Builder) *Module {
	return &Module{Builder: b, state: &state{init: map[*onnx.Value]Initialiser{}}}
}

// Sub returns the module called name inside m.
func (m *Module) Sub(name string) *Module {
	return &Module{Builder: m.Builder, prefix: m.prefix + name + ".", state: m.state}
}

// Params returns the parameters of the whole network so far, in the order of their use.
func (m *Module) Params() []*onnx.Value { return m.state.params }

// Param declares a float32 parameter, every element value, and returns it.
func (m *Module) Param(name string, value float32, shape ...int64) *onnx.Value {
	data := make([]float32, tensor.Size(shape))
	if value != 0 {
		for i := range data {
			data[i] = value
		}
	}
	p := m.Const(m.prefix+name, tensor.Of(shape, data))
	m.state.params = append(m.state.params, p)
	return p
}

// Mark names x, the output of the module called name, so that it can be tapped.
func (m *Module) Mark(name string, x *onnx.Value) *onnx.Value { return m.Name(x, m.prefix+name) }

// ConvAttrs describe a square convolution. Zero means 1 for all but SamePad and Bias.
type ConvAttrs struct {
	Kernel, Stride, Dilation, Group int64
	Bias                            bool
	// SamePad is TensorFlow's padding "SAME", which depends on the size of x and puts
	// the odd row below and right; otherwise padding is torch's (Kernel−1)/2·Dilation.
	SamePad bool
	// Init and BiasInit draw the first values; nil: HeNormal, and 0.
	Init, BiasInit Initialiser
}

// Conv convolves x (N, C, H, W) to out channels, with parameters name.weight and, with
// Bias, name.bias. x's channels, and for SamePad its height and width, must be known.
func (m *Module) Conv(name string, x *onnx.Value, out int64, a ConvAttrs) *onnx.Value {
	if !m.sized(name, x, 1) {
		return x
	}
	return m.SharedConv(name, x.Shape[1], out, a)(x)
}

// SharedConv declares the parameters of a convolution from in to out channels, as Conv
// names them, and returns what applies it: to several feature maps, if need be.
func (m *Module) SharedConv(name string, in, out int64, a ConvAttrs) func(x *onnx.Value) *onnx.Value {
	kernel, stride, dilation, group := max(a.Kernel, 1), max(a.Stride, 1), max(a.Dilation, 1), max(a.Group, 1)
	sub := m.Sub(name)
	w := sub.Param("weight", 0, out, in/group, kernel, kernel)
	if a.Init != nil {
		m.state.init[w] = a.Init
	}
	var bias *onnx.Value
	if a.Bias {
		bias = sub.Param("bias", 0, out)
		if a.BiasInit != nil {
			m.state.init[bias] = a.BiasInit
		}
	}
	half := (kernel - 1) / 2 * dilation
	pads := []int64{half, half, half, half}
	return func(x *onnx.Value) *onnx.Value {
		if a.SamePad {
			if !m.sized(name, x, 3) {
				return x
			}
			top, bottom := samePad(x.Shape[2], kernel, stride, dilation)
			left, right := samePad(x.Shape[3], kernel, stride, dilation)
			pads = []int64{top, left, bottom, right}
		}
		return m.Builder.Conv(x, w, bias, onnx.ConvAttrs{
			Strides: []int64{stride, stride}, Dilations: []int64{dilation, dilation}, Pads: pads, Group: group,
		})
	}
}

// samePad returns the padding before and after an axis of the given size so that the
// output has ⌈size/stride⌉ elements (TensorFlow, tf.nn, "Notes on padding").
func samePad(size, kernel, stride, dilation int64) (before, after int64) {
	out := (size + stride - 1) / stride
	total := max((out-1)*stride+(kernel-1)*dilation+1-size, 0)
	return total / 2, total - total/2
}

// BatchNormAttrs describe a BatchNorm; zero means ONNX's and PyTorch's defaults.
type BatchNormAttrs struct {
	Epsilon float32 // 1e-5
	// Momentum is ONNX's: the share that a running statistic keeps when it is trained,
	// 1 less PyTorch's; 0.9.
	Momentum float32
}

// BatchNorm normalises x (N, C, H, W) by the running statistics name.running_mean and
// name.running_var, then applies name.weight and name.bias.
func (m *Module) BatchNorm(name string, x *onnx.Value, a BatchNormAttrs) *onnx.Value {
	if !m.sized(name, x, 1) {
		return x
	}
	sub, c := m.Sub(name), x.Shape[1]
	in := []*onnx.Value{x, sub.Param("weight", 1, c), sub.Param("bias", 0, c),
		sub.Param("running_mean", 0, c), sub.Param("running_var", 1, c)}
	return m.Op("BatchNormalization", in, map[string]any{
		"epsilon": cmp.Or(a.Epsilon, 1e-5), "momentum": cmp.Or(a.Momentum, 0.9),
	}, 1)[0]
}

// Linear is x·Wᵀ + B for x (N, C), W = name.weight (out, C) and B = name.bias (out).
func (m *Module) Linear(name string, x *onnx.Value, out int64) *onnx.Value {
	return m.linear(name, x, out, nil)
}

// linear is Linear with first values by init; nil: HeNormal.
func (m *Module) linear(name string, x *onnx.Value, out int64, init Initialiser) *onnx.Value {
	if !m.sized(name, x, 1) {
		return x
	}
	sub := m.Sub(name)
	w := sub.Param("weight", 0, out, x.Shape[1])
	if init != nil {
		m.state.init[w] = init
	}
	return m.Gemm(x, w, sub.Param("bias", 0, out), onnx.GemmAttrs{TransB: true})
}

// GroupNorm normalises groups of channels of each sample of x (N, C, H, W), then applies
// name.weight and name.bias; epsilon is PyTorch's, 1e-5.
func (m *Module) GroupNorm(name string, x *onnx.Value, groups int64) *onnx.Value {
	if !m.sized(name, x, 1) {
		return x
	}
	sub, c := m.Sub(name), x.Shape[1]
	return m.GroupNormalization(x, sub.Param("weight", 1, c), sub.Param("bias", 0, c), groups, 1e-5)
}

// ReLU6 limits x to 0…6.
func (m *Module) ReLU6(x *onnx.Value) *onnx.Value { return m.ClipTo(x, 0, 6) }

// sized reports whether the first n axes after N of x are known, to size parameters
// and padding by. After an error of the Builder nothing is known of values, and the
// layers that follow do nothing.
func (m *Module) sized(name string, x *onnx.Value, n int) bool {
	if m.Err() != nil {
		return false
	}
	if len(x.Shape) <= n || !x.Shape[1:1+n].Static() {
		m.Fail(fmt.Errorf("%s%s: the shape %v of its input is not known enough", m.prefix, name, x.Shape))
		return false
	}
	return true
}
