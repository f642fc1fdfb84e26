package onnx

import (
	"fmt"
	"slices"

	"trilobite/tensor"
)

func normRule(op string) shapeRule {
	switch op {
	case "BatchNormalization":
		return inferBatchNorm
	case "InstanceNormalization", "GroupNormalization":
		return inferChannelNorm
	case "LayerNormalization", "RMSNormalization":
		return inferLayerNorm
	default:
		return nil
	}
}

// inferBatchNorm: Y of X's shape; in training mode also the running mean and
// variance, of the type and shape of those given.
func inferBatchNorm(n *Node, _ *Symbols) error {
	if err := need(n, 5); err != nil {
		return err
	}
	setOut(n, 0, inType(n, 0), inShape(n, 0))
	for i := 1; i < len(n.Out); i++ {
		setOut(n, i, inType(n, min(i+2, 4)), inShape(n, min(i+2, 4)))
	}
	return checkChannels(n, 1, 2, 3, 4)
}

// inferChannelNorm: Y of X's shape, scale and bias per channel.
func inferChannelNorm(n *Node, _ *Symbols) error {
	if err := need(n, 3); err != nil {
		return err
	}
	x := inShape(n, 0)
	setOut(n, 0, inType(n, 0), x)
	if n.Op == "GroupNormalization" && len(x) > 1 && x[1] >= 0 {
		if g := n.Int("num_groups", 0); g < 1 || x[1]%g != 0 {
			return fmt.Errorf("the channels of input %v are not in %d groups", x, g)
		}
	}
	return checkChannels(n, 1, 2)
}

// checkChannels checks that the inputs at the given places are vectors as long as X
// (N, C, …) has channels.
func checkChannels(n *Node, places ...int) error {
	x := inShape(n, 0)
	if x == nil {
		return nil
	}
	c := int64(1)
	if len(x) > 1 {
		c = x[1]
	}
	for _, i := range places {
		s := inShape(n, i)
		if s != nil && (len(s) != 1 || s[0] >= 0 && c >= 0 && s[0] != c) {
			return fmt.Errorf("input %d of shape %v is not per channel of input %v", i, s, x)
		}
	}
	return nil
}

// inferLayerNorm: Y of X's shape; mean and inverse deviation have the normalised
// axes, those from axis on, as 1, and the type of the computation (float32 unless
// stash_type says otherwise).
func inferLayerNorm(n *Node, _ *Symbols) error {
	if err := need(n, 2); err != nil {
		return err
	}
	x := inShape(n, 0)
	setOut(n, 0, inType(n, 0), x)
	if x == nil {
		return nil
	}
	axis, err := axisOf(n.Int("axis", -1), len(x))
	if err != nil {
		return fmt.Errorf("input %v: %w", x, err)
	}
	for _, i := range []int{1, 2} {
		s := inShape(n, i)
		if y, err := broadcast(x, s); err != nil || len(y) > len(x) {
			return fmt.Errorf("input %d of shape %v does not broadcast to input %v", i, s, x)
		}
	}
	stats := slices.Clone(x)
	for i := axis; i < len(stats); i++ {
		stats[i] = 1
	}
	stash := tensor.DType(n.Int("stash_type", int64(tensor.Float32)))
	for i := 1; i < len(n.Out); i++ {
		setOut(n, i, stash, stats)
	}
	return nil
}
