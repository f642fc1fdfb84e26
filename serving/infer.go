package serving

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"trilobite"
	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/tensor"
	"trilobite/zoo"
)

// Value describes an input or output of a model by its name in the ONNX file; a
// dimension that is open is −1.
type Value struct {
	Name  string
	DType tensor.DType
	Shape []int64
}

// Values are a model's inputs and outputs.
type Values struct {
	Model   zoo.Model
	Inputs  []Value
	Outputs []Value
}

// Tensors are a model's outputs, in the order they were asked for.
type Tensors struct {
	Model zoo.Model
	Names []string
	Data  []*tensor.Tensor
}

// Values returns a model's inputs and outputs. It loads the model: the library knows best.
func (r *Registry) Values(ctx context.Context, ref string) (Values, error) {
	m, done, err := r.Use(ctx, ref)
	if err != nil {
		return Values{}, err
	}
	defer done()
	return Values{m.Model, values(m.session.Inputs()), values(m.out)}, nil
}

func values(infos []ort.ValueInfo) []Value {
	out := make([]Value, len(infos))
	for i, v := range infos {
		out[i] = Value{v.Name, v.DType, slices.Clone([]int64(v.Shape))}
		for j, d := range out[i].Shape {
			out[i].Shape[j] = max(d, -1)
		}
	}
	return out
}

// Infer runs a model on tensors by the names of its inputs, and returns the outputs that
// are wanted, all if none are named. A tensor of strings in place of the only input is
// encoded image files, one an element: infer_images.go. It fails as Look does, and with
// Invalid for tensors that the model does not take.
func (r *Registry) Infer(ctx context.Context, ref string, in map[string]*tensor.Tensor, want []string) (out *Tensors, err error) {
	defer Caught(&err)
	m, done, err := r.whole(ctx, ref)
	if err != nil {
		return nil, err
	}
	defer done()
	inputs, images, err := m.inputs(in)
	if err != nil {
		return nil, err
	}
	at, err := m.outputs(want)
	if err != nil {
		return nil, err
	}
	given, err := r.Turn(ctx)
	if err != nil {
		return nil, err
	}
	defer given()
	var all []*tensor.Tensor
	if images != nil {
		all, err = r.inferImages(ctx, m, images)
	} else {
		all, err = m.session.Run(ctx, inputs)
	}
	if err != nil {
		return nil, err
	}
	out = &Tensors{Model: m.Model}
	for _, i := range at {
		out.Names, out.Data = append(out.Names, m.session.Outputs()[i].Name), append(out.Data, all[i])
	}
	return out, nil
}

// whole is Use for a model with the outputs that its file has.
func (r *Registry) whole(ctx context.Context, ref string) (*Model, func(), error) {
	card, err := r.resolve(ref)
	if err != nil {
		return nil, nil, err
	}
	return r.open(ctx, card, true, false)
}

// inputs puts tensors into the order of the model's inputs, or returns the image files
// that they are.
func (m *Model) inputs(in map[string]*tensor.Tensor) (tensors []*tensor.Tensor, images []string, err error) {
	infos := m.session.Inputs()
	for _, v := range infos {
		x := in[v.Name]
		if x == nil {
			return nil, nil, m.invalid("input %q is missing: it takes %s", v.Name, list(infos))
		}
		if x.DType == tensor.String && v.DType != tensor.String && len(infos) == 1 && len(in) == 1 {
			images, _ = tensor.Data[string](x)
			if len(images) < 1 || len(images) > maxImages {
				return nil, nil, m.invalid("input %q has %d images; one call takes 1 to %d", v.Name, len(images), maxImages)
			}
			return nil, images, nil
		}
		if x.DType != v.DType || !fits(x.Shape, v.Shape) {
			return nil, nil, m.invalid("input %q is %s %s, it takes %s", v.Name, x.DType, onnx.Shape(x.Shape), list(infos))
		}
		tensors = append(tensors, x)
	}
	if len(in) > len(infos) {
		for name := range in {
			if !slices.ContainsFunc(infos, func(v ort.ValueInfo) bool { return v.Name == name }) {
				return nil, nil, m.invalid("there is no input %.100q: it takes %s", name, list(infos))
			}
		}
	}
	return tensors, nil, nil
}

// fits reports whether a tensor's shape is the model's, with at least one element.
func fits(got []int64, want onnx.Shape) bool {
	return slices.EqualFunc(got, want, func(g, w int64) bool { return g > 0 && (g == w || w < 0) })
}

// outputs returns the indices of the named outputs; all, where none is named.
func (m *Model) outputs(want []string) ([]int, error) {
	infos := m.session.Outputs()
	var at []int
	for _, name := range want {
		i := slices.IndexFunc(infos, func(v ort.ValueInfo) bool { return v.Name == name })
		if i < 0 || slices.Contains(at, i) {
			return nil, m.invalid("there is no output %.100q, or it is wanted twice: it has %s", name, list(infos))
		}
		at = append(at, i)
	}
	if want == nil {
		for i := range infos {
			at = append(at, i)
		}
	}
	return at, nil
}

func (m *Model) invalid(format string, args ...any) error {
	return &trilobite.Error{Op: "serving.Infer", Code: trilobite.Invalid, Msg: fmt.Sprintf("Model %s: "+format+".", append([]any{m.Ref()}, args...)...)}
}

func list(infos []ort.ValueInfo) string {
	all := make([]string, len(infos))
	for i, v := range infos {
		all[i] = v.String()
	}
	return strings.Join(all, ", ")
}
