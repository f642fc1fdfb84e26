package tfjs

import (
	"trilobite/onnx"
)

// A rule converts one node and returns its outputs; a nil output is one that ONNX
// does not have, and that no later node may read.
type rule func(c *converter, s *step) []*operand

// ruleOf finds the rule of an operation; nil if it is not supported.
func ruleOf(op string) rule {
	switch op {
	case "Const":
		return convertConst
	case "Placeholder", "PlaceholderWithDefault":
		return undeclared
	case "NoOp":
		return func(*converter, *step) []*operand { return nil }
	case "Conv2D", "_FusedConv2D", "FusedConv2D":
		return conv2D
	case "DepthwiseConv2dNative", "DepthwiseConv2d", "_FusedDepthwiseConv2dNative", "FusedDepthwiseConv2dNative":
		return depthwise
	case "Conv2DBackpropInput":
		return convTranspose
	case "FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3":
		return batchNorm
	case "MatMul", "_FusedMatMul":
		return matMul
	case "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3":
		return batchMatMul
	case "MaxPool", "AvgPool":
		return pool
	case "Mean", "Sum", "Max", "Min", "Prod":
		return reduce
	case "ArgMax", "ArgMin":
		return argMax
	case "Softmax", "LogSoftmax":
		return softmax
	case "Reshape":
		return reshape
	case "Squeeze":
		return squeeze
	case "ExpandDims":
		return expandDims
	case "Transpose":
		return permute
	case "Shape":
		return shapeOf
	case "Rank", "Size":
		return sizeOf
	case "ConcatV2", "Concat":
		return concat
	case "Pack":
		return pack
	case "Unpack":
		return unpack
	case "Split", "SplitV":
		return splitAxis
	case "Slice":
		return slice
	case "StridedSlice":
		return stridedSlice
	case "GatherV2", "Gather":
		return gather
	case "Tile":
		return tile
	case "BroadcastTo":
		return broadcastTo
	case "Fill":
		return fill
	case "ZerosLike", "OnesLike":
		return filledLike
	case "Range":
		return rangeOf
	case "Pad", "PadV2", "MirrorPad":
		return pad
	case "SpaceToBatchND":
		return spaceToBatch
	case "BatchToSpaceND":
		return batchToSpace
	case "DepthToSpace", "SpaceToDepth":
		return depthToSpace
	case "ResizeBilinear", "ResizeNearestNeighbor":
		return resize
	case "Cast":
		return cast
	case "BiasAdd":
		return biasAdd
	case "AddN":
		return addN
	case "Select", "SelectV2":
		return selectRule
	case "ClipByValue":
		return clip
	default:
		return elementwiseRule(op)
	}
}

// convertConst takes a constant's elements from the weights.
func convertConst(c *converter, s *step) []*operand {
	t := c.model.Weights[s.Name]
	if t == nil {
		c.failf("weightsManifest has no such weight")
		return nil
	}
	return []*operand{{v: c.constant(s.Name+":0", t)}}
}

func undeclared(c *converter, _ *step) []*operand {
	c.failf("the outputs depend on this placeholder, which is not among the inputs")
	return nil
}

// one wraps the single output of a rule.
func one(o *operand) []*operand { return []*operand{o} }

// dead are the outputs of a rule that has failed.
func dead() []*operand { return one(&operand{v: &onnx.Value{}}) }
