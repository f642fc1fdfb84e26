package zoo

import (
	"fmt"
	"slices"
	"strings"

	"trilobite"
	"trilobite/onnx"
	"trilobite/pipeline"
	"trilobite/tensor"
)

// Facts are what an ONNX file of a vision model says of itself.
type Facts struct {
	Input         string // name
	Layout        string // pipeline.NCHW or NHWC
	Width, Height int    // 0: any
	Batch         int    // 0: any
	Single        bool   // the image comes without an axis for several
	Output        string // name of the one that is read, but for detectors
	Others        []string
	Task          string // "" where the outputs do not tell: of a detector
	Decoder       string
	Classes       int    // 0: unknown
	Binary        bool   // one score a pixel: how much it is of the one class
	Detector      string // the decoder that the outputs look like, were they a detector's; "" if none
}

// Recognise tells from a graph's first input, its outputs and their last operators how the
// model is fed and read. layout is NCHW, NHWC or "", as the input looks; output names the
// output to read, "" the first that fits.
//
// An output (N, C) is of a classifier, (N, C, H, W) of scores for each pixel, int64 (N, H,
// W) of their best classes; boxes (K, 4), int64 labels (K) and scores (K) are a detector's.
func Recognise(g *onnx.Graph, layout, output string) (Facts, error) {
	if len(g.Inputs) != 1 {
		return Facts{}, invalidf("The graph has %d inputs; a vision model has one, the image: [N,3,H,W] or [N,H,W,3].", len(g.Inputs))
	}
	in := g.Inputs[0]
	f := Facts{Input: in.Name, Layout: layout, Single: len(in.Shape) == 3}
	if len(in.Shape) != 4 && !f.Single {
		return f, invalidf("The graph's input %q is %s; an image is [N,3,H,W] or [N,H,W,3].", in.Name, g.Symbols.Text(in.Shape))
	}
	shape := batched(in.Shape)
	if f.Layout == "" {
		f.Layout = layoutOf(g, shape)
	}
	c, h, w := shape[1], shape[2], shape[3]
	if f.Layout == pipeline.NHWC {
		h, w, c = shape[1], shape[2], shape[3]
	}
	if c >= 0 && c != 3 {
		return f, invalidf("The graph's input %q is %s, %s: an image of %d channels, and pictures have 3.", in.Name, g.Symbols.Text(in.Shape), f.Layout, c)
	}
	f.Width, f.Height, f.Batch = int(max(w, 0)), int(max(h, 0)), int(max(shape[0], 0))
	f.Detector = detectorOf(g.Outputs, cells(f.Width, f.Height))
	if f.Detector == "boxes" && len(g.Outputs) > 1 && output == "" {
		f.Task = Detect // boxes, labels and scores, told by their types
		return f, nil
	}
	return f, f.readOutputs(g, output)
}

// batched is the shape of an image as one of several.
func batched(s onnx.Shape) onnx.Shape {
	if len(s) == 3 {
		return append(onnx.Shape{1}, s...)
	}
	return s
}

func invalidf(format string, args ...any) error {
	return &trilobite.Error{Op: "models.import", Code: trilobite.Invalid, Msg: fmt.Sprintf(format, args...)}
}

// layoutOf tells the layout of the graph's image of a shape: by the axis of 3 channels, or where that
// is open, by what reads it.
func layoutOf(g *onnx.Graph, s onnx.Shape) string {
	if s[3] == 3 && s[1] != 3 {
		return pipeline.NHWC
	}
	if s[1] >= 0 || s[3] >= 0 {
		return pipeline.NCHW
	}
	for _, n := range g.Nodes {
		if n.Op == "Transpose" && n.In[0] == g.Inputs[0] && slices.Equal(n.Ints("perm"), []int64{0, 3, 1, 2}) {
			return pipeline.NHWC
		}
	}
	return pipeline.NCHW
}

// readOutputs finds the output that answers, and how it is read.
func (f *Facts) readOutputs(g *onnx.Graph, name string) error {
	for _, y := range g.Outputs {
		task, classes := readable(y, f.Layout == pipeline.NHWC)
		if f.Output == "" && (name == y.Name || name == "" && task != "") {
			f.Output, f.Task, f.Classes = y.Name, task, classes
			f.Decoder, f.Binary = decoderOf(y, task), task == Segment && classes == 1
			continue
		}
		f.Others = append(f.Others, valueText(g, y))
	}
	if f.Output == "" && name != "" {
		return invalidf("The graph has no output %q; it has %s.", name, strings.Join(f.Others, ", "))
	}
	return nil
}

// valueText is a value's name, type and shape.
func valueText(g *onnx.Graph, v *onnx.Value) string {
	return fmt.Sprintf("%s %s%s", v.Name, v.DType, g.Symbols.Text(v.Shape))
}

// OutputsText lists a graph's outputs.
func OutputsText(g *onnx.Graph) string {
	all := make([]string, len(g.Outputs))
	for i, y := range g.Outputs {
		all[i] = valueText(g, y)
	}
	return strings.Join(all, ", ")
}

// readable returns the task that an output is of, "" if none, and its number of classes.
func readable(y *onnx.Value, last bool) (task string, classes int) {
	s := y.Shape
	switch {
	case y.DType == tensor.Int64 && len(s) == 3 && s[1] != 1 && s[2] != 1:
		return Segment, 0
	case y.DType != tensor.Float32:
		return "", 0
	case len(s) == 2, len(s) == 4 && s[2] == 1 && s[3] == 1:
		return Classify, int(max(s[1], 0))
	case len(s) == 4 && s[1] == 1 && s[2] == 1 && last:
		return Classify, int(max(s[3], 0))
	case len(s) == 4 && last:
		return Segment, int(max(s[3], 0))
	case len(s) == 4:
		return Segment, int(max(s[1], 0))
	default:
		return "", 0
	}
}

// decoderOf tells scores from logits by the operator that the output ends in.
func decoderOf(y *onnx.Value, task string) string {
	switch task {
	case Segment:
		return "mask"
	case Classify:
		if last := endsIn(y); last != nil && (last.Op == "Softmax" || last.Op == "Sigmoid") {
			return "probabilities"
		}
		return "softmax"
	default:
		return ""
	}
}

// endsIn returns the last node before y that computes; what only moves is passed by.
func endsIn(y *onnx.Value) *onnx.Node {
	for n := y.Node; n != nil; {
		if !slices.Contains([]string{"Identity", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose"}, n.Op) || n.Input(0) == nil {
			return n
		}
		n = n.In[0].Node
	}
	return nil
}
