package pipeline

import (
	"errors"
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

// work is an image on its way through a Transform's steps: what they do is added to the
// flow, and computed once its pixels are needed. It is imageio's Steps.
type work struct {
	of    *Transform
	flow  *imageio.Flow
	frame frame
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
	"tile":          func() Op { return &Tile{Width: 1024, Height: 1024, Overlap: 128} },
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

// MarshalYAML writes a step as UnmarshalYAML reads it.
func (s Step) MarshalYAML() (any, error) {
	switch s.Op.(type) {
	case *Equalise, *Greyscale:
		return s.Name, nil
	}
	return map[string]any{s.Name: s.Op}, nil
}

// StepNames lists the kinds of steps.
func StepNames() []string { return names(kinds) }

// validateSteps checks steps that no file declares, too.
func validateSteps(steps []Step) error {
	if len(steps) > maxSteps {
		return fmt.Errorf("preprocessing: steps are %d, %d at most", len(steps), maxSteps)
	}
	for i, s := range steps {
		if s.Op == nil {
			return fmt.Errorf("preprocessing: steps has no work at %d", i+1)
		}
		if err := s.Op.check(); err != nil {
			return fmt.Errorf("preprocessing: steps: %d, %s: %w", i+1, s.Name, err)
		}
		if _, ok := s.Op.(*Tile); ok && i < len(steps)-1 {
			return fmt.Errorf("preprocessing: steps: line %d: tile is the last step; here %s comes after it", s.Line, steps[i+1].Name)
		}
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
			key := n.Content[i]
			if !slices.Contains(known, key.Value) {
				return fmt.Errorf("line %d: unknown parameter %.60q%s", key.Line, key.Value, suggest(key.Value, known))
			}
			for j := range i / 2 {
				if n.Content[2*j].Value == key.Value {
					return fmt.Errorf("line %d: %s is there twice", key.Line, key.Value)
				}
			}
		}
	}
	if err := n.Decode(into); err != nil {
		return wrongType(n.Line, err)
	}
	return nil
}

// wrongType says in one line, with its number, what a value is not.
func wrongType(line int, err error) error {
	var types *yaml.TypeError
	if !errors.As(err, &types) || len(types.Errors) == 0 {
		return fmt.Errorf("line %d: %w", line, err)
	}
	text := types.Errors[0]
	for _, plain := range [][2]string{
		{"cannot unmarshal ", "wrong type: "}, {"!!str ", ""}, {"!!int ", ""}, {"!!float ", ""}, {"!!bool ", ""}, {"!!seq", "a list"}, {"!!map", "a set of fields"},
		{" into []int", ", want a list of whole numbers"}, {" into int", ", want a whole number"}, {" into float64", ", want a number"},
		{" into string", ", want a text"}, {" into pipeline.WhiteBalance", ", want a word"}, {" into []float32", ", want a list of numbers"}, {" into float32", ", want a number"},
	} {
		text = strings.Replace(text, plain[0], plain[1], 1)
	}
	for _, name := range []string{"Brightness", "Contrast", "Gamma", "Saturation"} {
		text = strings.Replace(text, " into pipeline."+name, ", want a number", 1)
	}
	return errors.New(text)
}

// Run carries the steps out, in their order. What fails names the step: a crop outside of
// an image is trilobite.Invalid.
func (w *work) Run(flow *imageio.Flow) error {
	w.flow, w.frame = flow, newFrame(flow.W, flow.H, flow.FullW, flow.FullH)
	for i, s := range w.of.spec.Steps {
		if err := s.Op.apply(w); err != nil {
			return &trilobite.Error{
				Op: "pipeline", Code: trilobite.Invalid, Err: err,
				Msg: fmt.Sprintf("Preprocessing step %d, %s (line %d of the pipeline): %v.", i+1, s.Name, s.Line, err),
			}
		}
	}
	w.flow = nil // its end is the caller's
	return nil
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
