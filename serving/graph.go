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
	less  bool  // its answers come from less than all outputs
	light bool  // they come from another graph than the file's
}

// facts returns what a model's graph is like and, where it had to be read for that and is
// lighter than the file's, the graph. It takes in memory, for each of its sessions, its file
// and a third of what its nodes write, where a dimension that is open counts as one.
// COCO-SSD: 106 MB, measured 94; EfficientNet-Lite0: 72, measured 48.
func (r *Registry) facts(card zoo.Model) (facts, *light, error) {
	known := func() (facts, bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		f, ok := r.graphs[card.Dir]
		return f, ok
	}
	if f, ok := known(); ok {
		return f, nil, nil
	}
	r.sizing.Lock() // one graph at a time, and each once
	defer r.sizing.Unlock()
	if f, ok := known(); ok {
		return f, nil, nil
	}
	at, err := os.Stat(card.GraphFile())
	if err != nil {
		return facts{}, nil, fmt.Errorf("loading model %s: %w", card.Ref(), err)
	}
	f := facts{bytes: at.Size()}
	var made *light
	if g, err := onnx.Load(card.GraphFile()); err == nil { // what we cannot read, ONNX Runtime may
		_, total := onnx.Count(g)
		f.bytes += total.Activations / 3
		if total.Params < math.MaxInt32/8 { // what is handed over in one piece
			made, f.less = lighten(g, card)
			f.light = made != nil
		}
	}
	f.bytes *= int64(min(2, r.c.Runtime.Cores()))
	r.mu.Lock()
	r.graphs[card.Dir] = f
	r.mu.Unlock()
	return f, made, nil
}

// light is a graph that computes what a model's answers need and no more, and the outputs
// that the file's has.
type light struct {
	graph *onnx.Graph
	out   []ort.ValueInfo
}

// load loads a light graph, or the file's where that is nil, and returns the outputs that
// the file has.
func load(ctx context.Context, c Config, card zoo.Model, g *light) (*ort.Model, []ort.ValueInfo, error) {
	o := c.Options
	o.Name, o.Recorder = card.Name, c.Recorder
	if g != nil {
		m, err := c.Runtime.LoadGraph(ctx, g.graph, o)
		return m, g.out, err
	}
	m, err := c.Runtime.Load(ctx, card.GraphFile(), o)
	if err != nil {
		return nil, nil, err
	}
	return m, m.Outputs(), nil
}

// lightOf reads a model's file again for its light graph.
func lightOf(card zoo.Model) (*light, error) {
	g, err := onnx.Load(card.GraphFile())
	if err != nil {
		return nil, err
	}
	made, _ := lighten(g, card)
	return made, nil
}

// lighten leaves of a graph what a detector's answers come from: COCO-SSD's 90 classes have
// ten among them that nobody has named, a fortieth of its time. Of that, and of any other
// graph, it leaves what computes something: two fifths of what COCO-SSD's class heads read
// is always 0, a twentieth of its time. It returns nil where that is all there was; less
// says that an output has lost some of its places.
func lighten(g *onnx.Graph, card zoo.Model) (made *light, less bool) {
	made = &light{g, ort.Infos(g.Outputs)}
	if card.Task == zoo.Detect {
		kept, err := keepNamed(g, card)
		if err != nil {
			return nil, false
		}
		less = kept
	}
	dropped, err := onnx.DropDeadChannels(g)
	if err != nil || !less && !dropped {
		return nil, false
	}
	return made, less
}

// keepNamed leaves of a detector's scores those of the classes that have names.
func keepNamed(g *onnx.Graph, card zoo.Model) (bool, error) {
	labels, err := card.ReadLabels()
	if err != nil {
		return false, err
	}
	output, axis, places, ok := detect.Answered(ort.Infos(g.Outputs), detection(card, labels.Names()))
	if !ok {
		return false, nil
	}
	return onnx.Keep(g, output, axis, places)
}

// detection says how a detector is fed and read.
func detection(card zoo.Model, names []string) detect.Config {
	d := card.Decoder
	return detect.Config{Pipeline: card.Pipeline, Decoder: d.Name, Labels: names, IoU: d.IoU, Background: d.Background}
}
