package nn

import (
	"fmt"

	"trilobite/onnx"
	"trilobite/tensor"
)

// SegmenterOptions are common to the networks for segmentation; zero values take the
// defaults.
type SegmenterOptions struct {
	Backbone      BackboneOptions
	Classes       int64 // must be given
	Height, Width int64 // 512
}

// segmenter makes the network that body builds on the backbone: logits of the image's size.
func segmenter(name string, o SegmenterOptions, body func(m *Module, f *features, size []int64) (*onnx.Value, error)) (*Network, error) {
	return network(name, o, func(m *Module, x *onnx.Value) (*onnx.Value, []Tap, error) {
		f, err := m.backbone(x, o.Backbone)
		if err != nil {
			return nil, nil, err
		}
		logits, err := body(m, f, x.Shape[2:])
		return logits, f.used, err
	})
}

// network makes the network that body builds: from an image x to logits and taps.
func network(name string, o SegmenterOptions, body func(m *Module, x *onnx.Value) (*onnx.Value, []Tap, error)) (*Network, error) {
	height, width := or(o.Height, 512), or(o.Width, 512)
	if o.Classes < 1 || height < 1 || width < 1 {
		return nil, fmt.Errorf("%s of %d classes for images of %d×%d", name, o.Classes, width, height)
	}
	b := onnx.NewBuilder(name)
	m := NewModule(b)
	logits, taps, err := body(m, b.Input("input", tensor.Float32, onnx.Shape{b.Dim("N"), 3, height, width}))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	b.Output("logits", logits)
	return finish(m, taps)
}

// upsample resizes the places of x (N, C, H, W) to size, H and W, bilinear with pixels
// as areas (PyTorch's align_corners=False).
func (m *Module) upsample(x *onnx.Value, size []int64) *onnx.Value {
	if !m.sized("upsample", x, 3) || x.Shape[2] == size[0] && x.Shape[3] == size[1] {
		return x
	}
	return m.ResizeTo(x, size, onnx.ResizeAttrs{Mode: "linear", Coordinates: "half_pixel", Axes: []int64{2, 3}})
}

// upsampleLike resizes x to the size of another feature map.
func (m *Module) upsampleLike(x, like *onnx.Value) *onnx.Value {
	if !m.sized("upsample", like, 3) {
		return x
	}
	return m.upsample(x, like.Shape[2:])
}
