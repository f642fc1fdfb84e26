package compare

import (
	"context"
	"errors"
	"strings"

	"trilobite"
	"trilobite/custom"
	"trilobite/geom"
	"trilobite/imageio"
	"trilobite/label"
	"trilobite/segment"
	"trilobite/zoo"
)

// leastScore is the score from which routes of this machine are asked for labels: the
// curves of AP want more than what is shown.
const leastScore = 0.01

// Engine asks models as the APIs of this program do: merged under the taxonomy's names
// for labels, box by box for detection; or one model of the team's own in its own words.
type Engine struct {
	engine *label.Engine
	task   Task
	own    []string // the model's own names by class; nil: merged
	words  []Label
}

// NewEngine returns an Asker over loaded models, which it closes, at once where it fails.
func NewEngine(e *label.Engine, task Task) (*Engine, error) {
	a := &Engine{engine: e, task: task}
	if err := a.learnWords(); err != nil {
		e.Close()
		return nil, err
	}
	return a, nil
}

// learnWords reads the models' labels, for boxes those of detectors alone.
func (a *Engine) learnWords() error {
	detectors := 0
	for _, m := range a.engine.Models() {
		if m.Task == zoo.Detect {
			detectors++
		} else if a.task == Detect {
			continue
		}
		labels, err := m.ReadLabels()
		if err != nil {
			return err
		}
		a.words = append(a.words, vocabulary(labels)...)
	}
	if a.task == Detect && detectors == 0 {
		return &MissingError{"None of " + a.Source() + " finds boxes."}
	}
	return nil
}

// NewOwnEngine returns an Asker over one model, which answers in its own words.
func NewOwnEngine(e *label.Engine, task Task) (*Engine, error) {
	a, err := NewEngine(e, task)
	if err != nil {
		return nil, err
	}
	labels, err := e.Models()[0].ReadLabels()
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	a.own = labels.Names()
	a.words = plain(a.own)
	return a, nil
}

// vocabulary lists a model's labels, ancestors included.
func vocabulary(labels zoo.Labels) []Label {
	var out []Label
	for _, c := range labels.Classes {
		if c.Name != "" {
			out = append(out, Label{Name: c.Label.Name, Aliases: append([]string{c.Name}, c.Label.Aliases...), Parents: c.Label.Parents})
		}
	}
	for _, a := range labels.Ancestors {
		out = append(out, Label{Name: a.Name, Aliases: a.Aliases, Parents: a.Parents})
	}
	return out
}

// Source names the models with their versions.
func (a *Engine) Source() string {
	var refs []string
	for _, m := range a.engine.Models() {
		refs = append(refs, m.Ref())
	}
	return strings.Join(refs, "+")
}

// Vocabulary lists the models' labels.
func (a *Engine) Vocabulary() []Label { return a.words }

// Close frees the models.
func (a *Engine) Close() error {
	a.engine.Close()
	return nil
}

// Ask looks at an image.
func (a *Engine) Ask(ctx context.Context, image []byte) (Answer, error) {
	found, err := a.engine.Analyze(ctx, image, trilobite.AnalyzeParams{Objects: true, Labels: a.task == Classify, MinScore: leastScore})
	if err != nil {
		return Answer{}, err
	}
	var out Answer
	if a.task == Detect {
		for _, d := range found.Detections {
			out.Labels = append(out.Labels, Label{Name: a.name(d.Class, d.Name), Score: float64(d.Score), Box: rect(d.Box)})
		}
		return out, nil
	}
	if a.own != nil && len(found.Classifications) > 0 {
		for _, c := range found.Classifications {
			out.Labels = append(out.Labels, Label{Name: a.name(c.Class, c.Name), Score: float64(c.Score)})
		}
		return out, nil
	}
	for _, l := range found.Labels {
		out.Labels = append(out.Labels, Label{Name: l.Name, Score: float64(l.Score), Aliases: l.Aliases, Parents: l.Parents})
	}
	return out, nil
}

// name is the model's own name of a class, or else the taxonomy's.
func (a *Engine) name(class int, title string) string {
	if class < len(a.own) {
		return a.own[class]
	}
	return title
}

func rect(b geom.Box) *geom.Rect {
	x, y, w, h := b.XYWH()
	return &geom.Rect{X: float64(x), Y: float64(y), W: float64(w), H: float64(h)}
}

// Predictor asks one model of a custom.Predictor: what DetectCustomLabels does.
type Predictor struct {
	Models  custom.Predictor
	Model   string
	Classes []string // the model's own, by number
}

// Source names the model.
func (a Predictor) Source() string { return a.Model }

// Vocabulary lists the model's classes.
func (a Predictor) Vocabulary() []Label { return plain(a.Classes) }

// Close frees the model.
func (a Predictor) Close() error { return a.Models.Unload(context.Background(), a.Model) }

// Ask looks at an image.
func (a Predictor) Ask(ctx context.Context, image []byte) (Answer, error) {
	found, _, _, err := a.Models.Predict(ctx, a.Model, 1, image)
	if err != nil {
		return Answer{}, err
	}
	var out Answer
	for _, p := range found {
		if p.Score >= leastScore {
			out.Labels = append(out.Labels, Label{Name: a.Classes[p.Class], Score: p.Score, Box: p.Box})
		}
	}
	return out, nil
}

func plain(names []string) []Label {
	out := make([]Label, len(names))
	for i, n := range names {
		out[i].Name = n
	}
	return out
}

// Segmenter asks a model that names pixels, as `trilobite segment` does.
type Segmenter struct {
	Model   *segment.Segmenter
	Ref     string
	Classes []string
	Gate    *imageio.Gate
	Limits  imageio.Limits
	Free    func() error
}

// Source names the model.
func (a Segmenter) Source() string { return a.Ref }

// Vocabulary lists the classes by the mask's values.
func (a Segmenter) Vocabulary() []Label { return plain(a.Classes) }

// Close frees the model.
func (a Segmenter) Close() error { return a.Free() }

// Ask names an image's pixels.
func (a Segmenter) Ask(ctx context.Context, image []byte) (Answer, error) {
	o := a.Model.Loading()
	o.Limits = a.Limits
	img, release, err := a.Gate.Decode(ctx, image, o)
	if err != nil {
		return Answer{}, err
	}
	defer release()
	m, err := a.Model.Segment(ctx, img)
	if err != nil {
		return Answer{}, err
	}
	mask, err := m.EncodePNG()
	return Answer{Mask: mask}, err
}
