package pipeline

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"trilobite"
	"trilobite/imageio"
	"trilobite/nn"
)

// Step changes the image before it is fitted to the model's input; docs/pipelines.md
// lists the kinds, with units, ranges and sources.
type Step struct {
	Name string
	Line int // of the file that declares it, from 1; 0 where none does
	Op   Op
}

// Op is the work of a step.
type Op interface {
	check() error // of the parameters
	apply(w *work) error
}

// work is an image on its way through the steps: what they do is added to the flow, and
// computed once its pixels are needed.
type work struct {
	flow  *imageio.Flow
	frame frame
	img   *imageio.Image // what the flow has come to, after the last step
}

// kinds makes an empty step of each name.
var kinds = map[string]func() Op{
	"orient":        func() Op { return &Orient{} },
	"crop":          func() Op { return &Crop{} },
	"trim":          func() Op { return &Trim{Threshold: 10} },
	"resize":        func() Op { return &Resize{Mode: Exact, Filter: imageio.Lanczos, Fill: 114} },
	"brightness":    func() Op { return new(Brightness) },
	"contrast":      func() Op { return new(Contrast) },
	"gamma":         func() Op { return new(Gamma) },
	"saturation":    func() Op { return new(Saturation) },
	"white-balance": func() Op { return new(WhiteBalance) },
	"equalise":      func() Op { return &Equalise{} },
	"clahe":         func() Op { return &CLAHE{Slope: 3} },
	"greyscale":     func() Op { return &Greyscale{} },
	"denoise":       func() Op { return &Denoise{} },
	"sharpen":       func() Op { return &Sharpen{Sigma: 1, Amount: 0.5} },
}

// UnmarshalYAML reads one step: its name alone, or its name with parameters.
func (s *Step) UnmarshalYAML(n *yaml.Node) error {
	name, params := n, (*yaml.Node)(nil)
	if n.Kind == yaml.MappingNode {
		if len(n.Content) != 2 {
			return fmt.Errorf("line %d: a step has one name, with its parameters below it", n.Line)
		}
		name, params = n.Content[0], n.Content[1]
	}
	if name.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: a step is a name, with its parameters below it", n.Line)
	}
	kind, ok := kinds[name.Value]
	if !ok {
		return fmt.Errorf("line %d: unknown step %.60q%s", name.Line, name.Value, suggest(name.Value, names(kinds)))
	}
	*s = Step{Name: name.Value, Line: name.Line, Op: kind()}
	if params != nil {
		if err := strict(params, s.Op); err != nil {
			return err
		}
		s.Line = name.Line
	}
	if err := s.Op.check(); err != nil {
		return fmt.Errorf("line %d: %s: %w", s.Line, s.Name, err)
	}
	return nil
}

// strict decodes parameters; an unknown one is an error with its line.
func strict(n *yaml.Node, into any) error {
	if t := reflect.TypeOf(into).Elem(); t.Kind() == reflect.Struct {
		if n.Kind != yaml.MappingNode {
			return fmt.Errorf("line %d: parameters by name are missing", n.Line)
		}
		var known []string
		for f := range t.Fields() {
			key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			known = append(known, key)
		}
		for i := 0; i < len(n.Content); i += 2 {
			if key := n.Content[i]; !slices.Contains(known, key.Value) {
				return fmt.Errorf("line %d: unknown parameter %.60q%s", key.Line, key.Value, suggest(key.Value, known))
			}
		}
	}
	return n.Decode(into)
}

// run carries the steps out, in their order. What fails names the step: a crop outside
// of an image is trilobite.Invalid.
func run(steps []Step, img *imageio.Image) (*work, error) {
	flow, err := img.Flow()
	if err != nil {
		return nil, err
	}
	defer flow.Close()
	w := &work{flow: flow, frame: newFrame(img)}
	for i, s := range steps {
		if err := s.Op.apply(w); err != nil {
			return nil, &trilobite.Error{
				Op: "pipeline", Code: trilobite.Invalid, Err: err,
				Msg: fmt.Sprintf("Preprocessing step %d, %s (line %d of the pipeline): %v.", i+1, s.Name, s.Line, err),
			}
		}
	}
	after, err := flow.Pixels()
	if err != nil {
		return nil, err
	}
	own := *after // it may be the caller's
	own.FullW, own.FullH = own.W, own.H
	w.img = &own
	return w, nil
}

func names[V any](m map[string]V) []string {
	var all []string
	for name := range m {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// suggest says what may have been meant, or what there is.
func suggest(name string, known []string) string {
	best, off := "", len(name)/2+1
	for _, k := range known {
		if d := nn.EditDistance(name, k); d < off {
			best, off = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return "; there are " + strings.Join(known, ", ")
}
