package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"trilobite"
	"trilobite/onnx"
	"trilobite/pipeline"
	"trilobite/zoo"
)

// importGraph reads an ONNX file. What the flags leave open is taken from the graph.
func importGraph(path string, card zoo.Card, f importFlags) (*imported, error) {
	g, err := onnx.Load(path)
	if err != nil {
		return nil, fmt.Errorf("importing %w", err)
	}
	facts, err := zoo.Recognise(g, f.layout, f.output)
	if err != nil {
		return nil, err
	}
	about, err := zoo.ReadMetadata(g)
	if err != nil {
		return nil, fmt.Errorf("importing %s: %w", path, err)
	}
	m := &imported{card: card, graph: g, classes: facts.Classes, binary: facts.Binary, names: about.Labels}
	if err := m.complete(facts, about, f); err != nil {
		return nil, err
	}
	p, nodes := &m.card.Pipeline, len(g.Nodes)
	if err := zoo.Adapt(g, facts, m.card.Task, p.Width, p.Height); err != nil {
		return nil, fmt.Errorf("importing %s: %w", path, err)
	}
	m.sayf("file", "%s, %d operators", filepath.Base(path), nodes)
	m.describe(facts)
	if m.binary = m.binary && m.card.Task == zoo.Segment; m.binary {
		m.classes = 2
	}
	if m.classes == 0 || m.card.Task == zoo.Detect {
		m.classes = classCount(g.Outputs[0].Shape, m.card.Decoder.Name)
	}
	if m.card.Task == zoo.Detect && (f.labels != "" || len(m.names) > 0) {
		m.classes = 0 // the decoder judges, which knows of background and offsets
	}
	m.card.Convert = zoo.Convert{Format: "onnx"}
	return m, nil
}

// complete fills in what the flags leave open of the card: by what the file says in words,
// by its outputs and the size of its input, or as it is usual.
func (m *imported) complete(facts zoo.Facts, about zoo.Metadata, f importFlags) error {
	c := &m.card
	if c.Task = cmp.Or(c.Task, about.Task, facts.Task); c.Task == "" {
		return &trilobite.Error{Op: "models.import", Code: trilobite.Invalid, Msg: fmt.Sprintf(
			"The outputs, %s, are neither a classifier's [N,C] nor a segmentation's [N,C,H,W]. If they are boxes, name --task detect.", zoo.OutputsText(m.graph))}
	}
	if c.Task == about.Task {
		c.Decoder.Name = cmp.Or(c.Decoder.Name, about.Decoder)
	}
	if c.Task == zoo.Detect {
		if c.Decoder.Name = cmp.Or(c.Decoder.Name, facts.Detector); c.Decoder.Name == "" {
			return &trilobite.Error{Op: "models.import", Code: trilobite.Invalid, Msg: fmt.Sprintf(
				"The outputs, %s, are like no detector's that is read: %s. Export the model with one of these.", zoo.OutputsText(m.graph), zoo.DetectorForms)}
		}
	} else {
		c.Decoder.Name = cmp.Or(c.Decoder.Name, facts.Decoder)
	}
	if about.Licence != "" && c.Licence == unknownLicence {
		c.Licence = about.Licence
	}
	p := &c.Pipeline
	p.Width, p.Height = cmp.Or(p.Width, facts.Width), cmp.Or(p.Height, facts.Height)
	usual := zoo.UsualPipeline(c.Task, c.Decoder.Name, len(m.graph.Outputs))
	if about.Pipeline != nil {
		usual = *about.Pipeline
	}
	f.orUsual(p, usual)
	if about.Inside && f.size == "" {
		return &trilobite.Error{Op: "models.import", Code: trilobite.Invalid, Msg: "The file has its preprocessing inside, for pictures of any size: import the file " +
			"that trilobite export writes without --preprocessing, or name with --size WIDTHxHEIGHT what all pictures are brought to before."}
	}
	if p.Width < 1 || p.Height < 1 {
		return &trilobite.Error{Op: "models.import", Code: trilobite.Invalid, Msg: fmt.Sprintf("The graph's input %q leaves its size open; name it with --size WIDTHxHEIGHT.", facts.Input)}
	}
	return nil
}

// describe says what was found out about the file.
func (m *imported) describe(f zoo.Facts) {
	size := "of any size"
	if f.Width > 0 && f.Height > 0 {
		size = fmt.Sprintf("%d×%d", f.Width, f.Height)
	}
	layout := "channels first"
	if f.Layout == pipeline.NHWC {
		layout = "channels last, turned to channels first"
	}
	batch := "any number at once"
	switch {
	case f.Batch == 0:
	case m.graph.Inputs[0].Shape[0] < 0:
		batch = fmt.Sprintf("made for %d at once, takes any number", f.Batch)
	default:
		batch = fmt.Sprintf("%d at once", f.Batch)
	}
	m.sayf("input", "%s: images %s, %s, %s", f.Input, size, layout, batch)
	if m.card.Task == zoo.Detect {
		m.sayf("task", "detect, outputs read as %s", m.card.Decoder.Name)
		return
	}
	kind := map[string]string{
		"softmax": "logits, of which a softmax is taken", "probabilities": "scores", "sigmoid": "logits, of which the sigmoid is taken",
		"mask": "scores of each pixel",
	}[m.card.Decoder.Name]
	if f.Binary {
		kind = "one score of each pixel, against a background"
	}
	m.sayf("output", "%s: %s", f.Output, kind)
	m.sayf("task", "%s", m.card.Task)
	if len(f.Others) > 0 {
		m.sayf("not read", "%s", strings.Join(f.Others, ", "))
	}
}

// classCount returns how many classes a decoder reads from an output of this shape; 0 if
// that cannot be told.
func classCount(s onnx.Shape, decoder string) int {
	n := onnx.Unknown
	switch {
	case len(s) < 2:
	case decoder == "yolov8":
		n = s[1] - 4
	case decoder == "yolox":
		n = s[len(s)-1] - 5
	case decoder == "ssd" || decoder == "fcos":
		n = s[len(s)-1]
	case len(s) == 4:
		n = s[1]
	}
	return int(max(n, 0))
}
