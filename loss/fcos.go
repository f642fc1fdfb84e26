package loss

import (
	"fmt"
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// Detection is the outputs of a one-stage detector and what they are trained to, over N
// images and A locations; see nn.FCOS and nn.Detector.Assign.
type Detection struct {
	Logits  *onnx.Value // (N, A, C)
	Boxes   *onnx.Value // (N, A, 4), xyxy
	Quality *onnx.Value // (N, A), logits

	Class     *onnx.Value // int64 (N, A), 0…C−1, or −1 where there is no object
	TargetBox *onnx.Value // (N, A, 4), of an area where there is no object as well
	// TargetQuality (N, A), 0…1, is what Quality learns; nil: the IoU of Boxes and TargetBox.
	TargetQuality *onnx.Value
}

// DetectionTerms are the parts of a detector's loss, scalars.
type DetectionTerms struct{ Class, Box, Quality *onnx.Value }

// FCOS is the loss of Tian et al., arXiv:1904.01355, equation 2, as torchvision has it:
//
//	focal loss of the classes, over all locations, alpha 0.25 and gamma 2
//	+ GIoU of the boxes, over those with an object
//	+ binary cross-entropy of the quality, over the same
//
// each a sum divided by the number of locations with an object, 1 at least.
func FCOS(b *onnx.Builder, d Detection) (*onnx.Value, DetectionTerms) {
	if err := d.check(b); err != nil {
		b.Fail(fmt.Errorf("detection loss: %w", err))
		return &onnx.Value{}, DetectionTerms{&onnx.Value{}, &onnx.Value{}, &onnx.Value{}}
	}
	dtype, classes := d.Logits.DType, d.Logits.Shape[2]
	numbers := make([]int64, classes)
	for i := range numbers {
		numbers[i] = int64(i)
	}
	hot := b.Cast(b.Equal(b.Unsqueeze(d.Class, 2), b.Ints(numbers...)), dtype) // (N, A, C)
	object := b.Cast(b.GreaterOrEqual(d.Class, b.Int(0)), dtype)               // (N, A)
	count := b.Max(b.ReduceSum(object), b.Scalar(dtype, 1))
	mean := func(x *onnx.Value) *onnx.Value { return b.Div(b.ReduceSum(x), count) }

	quality := d.TargetQuality
	if quality == nil {
		quality = IoU(b, d.Boxes, d.TargetBox)
	}
	terms := DetectionTerms{
		Class:   mean(focalLosses(b, d.Logits, hot, FocalAttrs{Gamma: 2, Alpha: 0.25})),
		Box:     mean(b.Mul(object, GIoU(b, d.Boxes, d.TargetBox))),
		Quality: mean(b.Mul(object, binaryCrossEntropy(b, d.Quality, quality))),
	}
	return b.Add(b.Add(terms.Class, terms.Box), terms.Quality), terms
}

func (d Detection) check(b *onnx.Builder) error {
	if err := b.Err(); err != nil {
		return err
	}
	if len(d.Logits.Shape) != 3 || !d.Logits.Shape[2:].Static() {
		return fmt.Errorf("logits are %v, want (N, A, C) with C known", d.Logits.Shape)
	}
	if d.Class.DType != tensor.Int64 {
		return fmt.Errorf("classes are %s, want int64", d.Class.DType)
	}
	places := d.Logits.Shape[:2]
	for _, v := range []*onnx.Value{d.Quality, d.Class, d.TargetQuality} {
		if v != nil && !slices.Equal(v.Shape, places) {
			return fmt.Errorf("%q is %v, want %v as the logits %v", v.Name, v.Shape, places, d.Logits.Shape)
		}
	}
	return nil
}
