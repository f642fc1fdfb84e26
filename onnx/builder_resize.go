package onnx

import (
	"fmt"

	"trilobite/tensor"
)

// ResizeAttrs are Resize's attributes; the zero value is ONNX's default, nearest with
// half_pixel coordinates. Axes names the axes that scales or sizes speak of; nil is all.
type ResizeAttrs struct {
	Mode           string // nearest, linear, cubic
	Coordinates    string // coordinate_transformation_mode: half_pixel, align_corners, asymmetric, …
	Nearest        string // nearest_mode: round_prefer_floor, round_prefer_ceil, floor, ceil
	Axes           []int64
	Antialias      bool
	CubicCoeffA    float32 // 0 means -0.75
	ExcludeOutside bool
}

// Resize scales axes by factors.
func (b *Builder) Resize(x *Value, scales []float32, a ResizeAttrs) *Value {
	s := b.Const("", tensor.Vector(scales...))
	return b.op("Resize", a.attrs(), x, nil, s)
}

// ResizeTo scales axes to sizes in pixels.
func (b *Builder) ResizeTo(x *Value, sizes []int64, a ResizeAttrs) *Value {
	return b.op("Resize", a.attrs(), x, nil, nil, b.Ints(sizes...))
}

func (a ResizeAttrs) attrs() map[string]any {
	m := map[string]any{}
	for name, v := range map[string]string{"mode": a.Mode, "coordinate_transformation_mode": a.Coordinates, "nearest_mode": a.Nearest} {
		if v != "" {
			m[name] = v
		}
	}
	setInts(m, "axes", a.Axes)
	setBool(m, "antialias", a.Antialias)
	setBool(m, "exclude_outside", a.ExcludeOutside)
	if a.CubicCoeffA != 0 {
		m["cubic_coeff_a"] = a.CubicCoeffA
	}
	return m
}

// GridSample reads X (N, C, H, W) at the positions of grid (N, H', W', 2), x before y,
// from -1 to 1 across the picture.
func (b *Builder) GridSample(x, grid *Value, mode, padding string, alignCorners bool) *Value {
	m := map[string]any{"mode": mode, "padding_mode": padding}
	setBool(m, "align_corners", alignCorners)
	return b.op("GridSample", m, x, grid)
}

// RoiAlign pools each box of rois (count, 4), x1 y1 x2 y2 in input pixels, to height ×
// width cells; batch (count) tells which sample of X (N, C, H, W) the box is of.
func (b *Builder) RoiAlign(x, rois, batch *Value, height, width int64, scale float32, sampling int64) *Value {
	if height < 1 || width < 1 {
		b.fail(fmt.Errorf("RoiAlign to %d×%d cells", height, width))
	}
	return b.op("RoiAlign", map[string]any{
		"output_height": height, "output_width": width, "spatial_scale": scale, "sampling_ratio": sampling,
	}, x, rois, batch)
}
