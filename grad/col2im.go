package grad

import (
	"slices"

	"trilobite/onnx"
)

// maxBlock bounds the places of a block of Col2Im, each of which is a Slice.
const maxBlock = 1024

// col2ImRule is the gradient of Col2Im, which adds blocks of X (N, C·Πk, L) up to an image
// (N, C, sizes…): dX holds, for each place in a block, dY where the blocks' steps lead it,
// as PyTorch's unfold does. Image, block and C must be known. Checked: testdata/defined.npz.
func col2ImRule(c *call) error {
	x, y := c.n.In[0], c.n.Out[0]
	image, known := integers(c.n.In[1])
	block, ok := integers(c.n.In[2])
	d := len(image)
	if !known || !ok || d == 0 || len(block) != d || len(y.Shape) != d+2 || y.Shape[1] < 0 || !fits(block) || product(block) < 1 || product(block) > maxBlock {
		return c.none("computed image or block, X %v", x.Shape)
	}
	ones := slices.Repeat([]int64{1}, d)
	steps, dilations := c.n.Ints("strides", ones...), c.n.Ints("dilations", ones...)
	pads := c.n.Ints("pads", make([]int64, 2*d)...)
	if len(steps) != d || len(dilations) != d || len(pads) != 2*d {
		return c.none("strides %v, dilations %v, pads %v", steps, dilations, pads)
	}
	all := make([]int64, 2*(d+2))
	copy(all[2:], pads[:d])
	copy(all[d+4:], pads[d:])
	dY := c.dY[0]
	if slices.ContainsFunc(pads, func(p int64) bool { return p != 0 }) {
		dY = c.Pad(dY, all...)
	}
	var places []*onnx.Value
	for i := range product(block) {
		var axes, starts, ends []int64
		for a, rest := d-1, i; a >= 0; a-- {
			start := rest % block[a] * dilations[a]
			rest /= block[a]
			last := image[a] + pads[a] + pads[d+a] - (block[a]-1)*dilations[a] // where the last block's first place may be
			axes, starts, ends = append(axes, int64(a+2)), append(starts, start), append(ends, start+last)
		}
		back := slices.Clone(steps)
		slices.Reverse(back)
		places = append(places, c.Reshape(c.SliceStep(dY, axes, starts, ends, back), 0, y.Shape[1], 1, -1))
	}
	dX := c.Concat(2, places...) // (N, C, Πk, L)
	return c.give(0, c.Reshape(dX, 0, y.Shape[1]*product(block), -1))
}
