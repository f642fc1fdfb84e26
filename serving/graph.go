package serving

import (
	"context"
	"fmt"
	"math"
	"os"

	"trilobite/detect"
	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/zoo"
)

// form is what is loaded of a model: its graph as the file has it, for who sends tensors,
// or as much of that as its answers come from.
type form struct {
	dir   string // the model's folder
	whole bool   // true only where there is a difference
}

// facts are found out about a model's graph once.
type facts struct {
	bytes int64 // that it takes in memory, estimated
	less  bool  // its answers come from less than the whole graph
	idle  bool  // of what they come from, too, some computes nothing
}

// facts returns what a model's graph is like. It takes in memory, for each of its
// sessions, its file and a third of what its nodes write, where a dimension that is open
// counts as one. COCO-SSD: 106 MB, measured 94; EfficientNet-Lite0: 72, measured 48.
func (r *Registry) facts(card zoo.Model) (facts, error) {
	known := func() (facts, bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		f, ok := r.graphs[card.Dir]
		return f, ok
	}
	if f, ok := known(); ok {
		return f, nil
	}
	r.sizing.Lock() // one graph at a time, and each once
	defer r.sizing.Unlock()
	if f, ok := known(); ok {
		return f, nil
	}
	at, err := os.Stat(card.GraphFile())
	if err != nil {
		return facts{}, fmt.Errorf("loading model %s: %w", card.Ref(), err)
	}
	f := facts{bytes: at.Size()}
	if g, err := onnx.Load(card.GraphFile()); err == nil { // what we cannot read, ONNX Runtime may
		_, total := onnx.Count(g)
		f.bytes += total.Activations / 3
		if labels, err := card.ReadLabels(); err == nil && total.Params < math.MaxInt32/8 { // what one file holds
			f.less, f.idle = lighten(g, detection(card, labels.Names()))
		}
	}
	f.bytes *= int64(min(2, r.c.Runtime.Cores()))
	r.mu.Lock()
	r.graphs[card.Dir] = f
	r.mu.Unlock()
	return f, nil
}

// load loads a model's graph, as the file has it or light, as its answers need it, and
// returns the outputs that the file has.
func load(ctx context.Context, c Config, card zoo.Model, names []string, light bool) (m *ort.Model, out []ort.ValueInfo, err error) {
	o := c.Options
	o.Name, o.Recorder = card.Name, c.Recorder
	if light {
		g, err := onnx.Load(card.GraphFile())
		if err != nil {
			return nil, nil, err
		}
		out = ort.Infos(g.Outputs)
		lighten(g, detection(card, names))
		m, err = c.Runtime.LoadGraph(ctx, g, o)
		return m, out, err
	}
	if m, err = c.Runtime.Load(ctx, card.GraphFile(), o); err != nil {
		return nil, nil, err
	}
	return m, m.Outputs(), nil
}

// lighten leaves of a graph what a detector's answers come from: COCO-SSD's 90 classes have
// ten among them that nobody has named, a fortieth of its time. Of that and of any other
// graph it leaves what computes something: two fifths of what COCO-SSD's class heads read is
// always 0, a twentieth of its time.
func lighten(g *onnx.Graph, c detect.Config) (less, idle bool) {
	if output, axis, places, ok := detect.Answered(ort.Infos(g.Outputs), c); ok {
		kept, err := onnx.Keep(g, output, axis, places)
		less = kept && err == nil
	}
	dropped, err := onnx.DropDeadChannels(g)
	return less, dropped && err == nil
}

// detection says how a detector is fed and read.
func detection(card zoo.Model, names []string) detect.Config {
	d := card.Decoder
	return detect.Config{Pipeline: card.Pipeline, Decoder: d.Name, Labels: names, IoU: d.IoU, Background: d.Background}
}
