package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trilobite/classify"
	"trilobite/config"
	"trilobite/detect"
	"trilobite/imageio"
	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/pipeline"
	"trilobite/segment"
	"trilobite/zoo"
)

// importFlags say what the file itself does not.
type importFlags struct {
	labels, size, filter, layout, normalise, output, network string

	json bool
}

func newModelsImportCmd(app *App) *cobra.Command {
	var f importFlags
	card := zoo.Card{Licence: unknownLicence}
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Install a model that you bring: ONNX, or a PyTorch state dict",
		Long: `Installs a file as a new version of a model.

An ONNX file (opsets 11 to 22) comes from PyTorch, Keras, TensorFlow or anything else. Its input's
name, layout and size, and whether its outputs classify the picture or each of its pixels, as scores
or as logits, are found out and said; flags override them. A model with its channels last (NHWC) is
turned to channels first, and one for a single picture takes any number. Detectors need --task detect.
What trilobite export and Ultralytics write into a file's metadata is read.

A state dict (.pth, .pt, .bin, .safetensors) fills one of the networks that Trilobite knows, told by
the names in it or by --network, whatever its number of classes. It is read as data: no program in it runs.

What a file does not say is how pictures were prepared in training: --normalise, or --mean and --std.
docs/models.md has more.`,
		Example: `  trilobite models import food.onnx --name food --labels food.txt --normalise imagenet
  trilobite models import keras.onnx --name road --labels road.txt --normalise caffe
  trilobite models import resnet50.pth --name resnet50 --labels imagenet
  trilobite models import yolov8n.onnx --name yolo --task detect`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := app.config(cmd)
			if err != nil {
				return err
			}
			return importModel(cmd, c, args[0], card, f)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&card.Name, "name", "", "the model's `name`: lower-case letters, digits, dots, dashes")
	fl.StringVar(&card.Title, "title", "", "one line for people")
	fl.StringVar(&card.Task, "task", "", "detect, classify or segment (default: what the outputs are for)")
	fl.StringVar(&f.network, "network", "", "of a state dict: "+strings.Join(zoo.NetworkNames(), ", ")+" (default: told by its names)")
	fl.StringVar(&card.Decoder.Name, "decoder", "", "ssd, yolox, yolov8, fcos, boxes, softmax, sigmoid, probabilities or mask (default: told by the outputs)")
	fl.StringVar(&f.output, "output", "", "the output to read, by name (default: the first that fits)")
	fl.StringVar(&f.labels, "labels", "", "class names, one a line in a `file`; or coco80, coco90, imagenet")
	fl.StringVar(&card.Licence, "licence", card.Licence, "the weights' licence")
	fl.StringVar(&f.size, "size", "", "input size, `WIDTHxHEIGHT` (default: the graph's)")
	fl.StringVar(&f.layout, "layout", "", "nchw or nhwc (default: as the graph's input looks)")
	fl.StringVar(&card.Pipeline.Resize, "resize", "", "exact, centre-crop or letterbox (default: letterbox for YOLO, centre-crop for classify, else exact)")
	fl.Float32Var(&card.Pipeline.Crop, "crop", 0, "centre-crop's share of the resized picture (default 0.875)")
	fl.StringVar(&f.filter, "filter", "", "bilinear-tf, bilinear-half-pixel, bilinear, bicubic, area or lanczos (default bilinear)")
	fl.StringVar(&f.normalise, "normalise", "", "what pixels become: "+strings.Join(slices.Sorted(maps.Keys(normalisations())), ", "))
	fl.Float32SliceVar(&card.Pipeline.Mean, "mean", nil, "subtracted from pixels of 0 to 255: one value or three")
	fl.Float32SliceVar(&card.Pipeline.Std, "std", nil, "divides pixels after that: one value or three")
	fl.StringVar(&card.Pipeline.Order, "order", "", "rgb or bgr")
	fl.StringSliceVar(&card.Taps, "taps", nil, "where heads start when the model is a backbone: `names` of nodes or tensors, or stride4 … (default: the last map of a stride)")
	fl.BoolVar(&f.json, "json", false, "print JSON")
	cobra.CheckErr(cmd.MarkFlagRequired("name"))
	return cmd
}

// unknownLicence is said of models that say nothing themselves.
const unknownLicence = "unknown"

// normalisations are usual ways of making numbers of pixels of 0 to 255.
func normalisations() map[string]pipeline.Spec {
	return map[string]pipeline.Spec{
		"none":     {}, // 0 to 255
		"unit":     {Std: []float32{255}},
		"tf":       {Mean: []float32{127.5}, Std: []float32{127.5}}, // −1 to 1: Keras' mode "tf"
		"imagenet": {Mean: []float32{123.675, 116.28, 103.53}, Std: []float32{58.395, 57.12, 57.375}},
		"caffe":    {Mean: []float32{123.68, 116.779, 103.939}, Order: pipeline.BGR}, // Keras' ResNet and VGG
	}
}

// importModel reads, tries and installs a model, and says what was found out.
func importModel(cmd *cobra.Command, c config.Config, path string, card zoo.Card, f importFlags) error {
	if err := f.preprocessing(&card.Pipeline); err != nil {
		return err
	}
	open := importGraph
	if isWeightsFile(path) {
		open = importWeights
	} else if f.network != "" {
		return fmt.Errorf("--network fills a network with a state dict, and %s is none: %s", path, "it ends in .pth, .pt, .bin or .safetensors")
	}
	m, err := open(path, card, f)
	if err != nil {
		return err
	}
	if len(card.Taps) > 0 {
		if err := zoo.CheckTaps(m.graph, m.card.Pipeline.Width, m.card.Pipeline.Height, card.Taps); err != nil {
			return err
		}
	}
	tried, err := tryGraph(cmd.Context(), c.ORT, m.graph, card.Name)
	if err != nil {
		return err
	}
	defer tried.Close()
	tax, err := puller(c, cmd, false).Taxonomy(cmd.Context())
	if err != nil {
		return err
	}
	var labels zoo.Labels
	if m.card, labels, err = zoo.Prepare(zoo.ImportParams{File: path, Labels: f.labels, Names: m.names, Classes: m.classes, Binary: m.binary, Card: m.card}, tax); err != nil {
		return err
	}
	if err := tryDecoder(tried, m.card, labels.Names()); err != nil {
		return err
	}
	installed, err := zoo.NewStore(c.Home).Put(m.card, m.graph, labels)
	if err != nil {
		return err
	}
	return m.tell(cmd.OutOrStdout(), installed, len(labels.Classes), f.json)
}

// preprocessing reads the flags about it that are no fields of the card themselves.
func (f importFlags) preprocessing(p *pipeline.Spec) error {
	var err error
	if p.Filter, err = imageio.ParseFilter(cmp.Or(f.filter, imageio.Bilinear.String())); err != nil {
		return err
	}
	if f.layout != "" && f.layout != pipeline.NCHW && f.layout != pipeline.NHWC {
		return fmt.Errorf("--layout is %q; nchw or nhwc", f.layout)
	}
	if f.normalise != "" {
		n, ok := normalisations()[f.normalise]
		if !ok || p.Mean != nil || p.Std != nil {
			return fmt.Errorf("--normalise is %q; one of %s, without --mean and --std", f.normalise, strings.Join(slices.Sorted(maps.Keys(normalisations())), ", "))
		}
		p.Mean, p.Std = n.Mean, n.Std
		if p.Order == "" {
			p.Order = n.Order
		}
	}
	if f.size != "" {
		if n, err := fmt.Sscanf(f.size, "%dx%d", &p.Width, &p.Height); n != 2 || err != nil || p.Width < 1 || p.Height < 1 {
			return fmt.Errorf("--size is %q; it is WIDTHxHEIGHT, for example 640x640", f.size)
		}
	}
	return nil
}

// orUsual fills in what the flags leave open of preprocessing.
func (f importFlags) orUsual(p *pipeline.Spec, usual pipeline.Spec) {
	p.Width, p.Height = cmp.Or(p.Width, usual.Width), cmp.Or(p.Height, usual.Height)
	switch p.Resize {
	case "", usual.Resize:
		p.Resize, p.Crop, p.Fill, p.Align = usual.Resize, cmp.Or(p.Crop, usual.Crop), usual.Fill, usual.Align
	case pipeline.CentreCrop:
		p.Crop = cmp.Or(p.Crop, zoo.UsualCrop)
	}
	if f.normalise == "" && p.Mean == nil && p.Std == nil {
		p.Mean, p.Std, p.Order = usual.Mean, usual.Std, cmp.Or(p.Order, usual.Order)
	}
	if f.filter == "" {
		p.Filter = usual.Filter
	}
}

// imported is a model that was read, and what is to be said about it.
type imported struct {
	card    zoo.Card
	graph   *onnx.Graph
	names   []string // of the classes, as the file has them
	classes int
	binary  bool
	said    [][2]string // what was found out, for people and programs
}

func (m *imported) sayf(what, format string, args ...any) {
	m.said = append(m.said, [2]string{what, fmt.Sprintf(format, args...)})
}

func (m *imported) tell(w io.Writer, installed zoo.Model, classes int, asJSON bool) error {
	p := m.card.Pipeline
	fit := cmp.Or(p.Resize, pipeline.Exact)
	if p.Fill != 0 {
		fit += fmt.Sprintf(" on %d", p.Fill)
	}
	m.sayf("preprocessing", "%d×%d, %s, %s", p.Width, p.Height, fit, normalisation(p))
	m.sayf("classes", "%d", classes)
	m.sayf("model", "%s", installed.Ref())
	m.sayf("folder", "%s", installed.Dir)
	if asJSON {
		out := map[string]string{}
		for _, s := range m.said {
			out[s[0]] = s[1]
		}
		return json.NewEncoder(w).Encode(out)
	}
	for _, s := range m.said {
		fmt.Fprintf(w, "%s\t%s\n", s[0], s[1])
	}
	return nil
}

// normalisation says what becomes of a pixel's numbers.
func normalisation(p pipeline.Spec) string {
	order := strings.ToUpper(cmp.Or(p.Order, pipeline.RGB))
	if len(p.Mean) == 0 && len(p.Std) == 0 {
		return order + " as it is, 0 to 255 (--normalise if the model was trained otherwise)"
	}
	return fmt.Sprintf("(%s − %v) / %v", order, orNone(p.Mean, 0), orNone(p.Std, 1))
}

func orNone(v []float32, none float32) []float32 {
	if len(v) == 0 {
		return []float32{none}
	}
	return v
}

// tryGraph loads a graph as the server will.
func tryGraph(ctx context.Context, c config.ORT, g *onnx.Graph, name string) (*ort.Model, error) {
	data, err := onnx.Marshal(g)
	if err != nil {
		return nil, err
	}
	rt, err := openRuntime(c)
	if err != nil {
		return nil, err
	}
	m, err := rt.LoadBytes(ctx, data, ort.Options{Name: name})
	if err != nil {
		if ops := foreignOps(g); ops != "" {
			return nil, fmt.Errorf("loading the model: it has operators of other sets than ONNX's, which ONNX Runtime does not know: %s: export it without them: %w", ops, err)
		}
		return nil, fmt.Errorf("loading the model: %w", err)
	}
	return m, nil
}

// tryDecoder lets the card's decoder judge the model's outputs.
func tryDecoder(m *ort.Model, card zoo.Card, labels []string) error {
	var err error
	switch card.Task {
	case zoo.Detect:
		_, err = detect.New(m, detect.Config{Pipeline: card.Pipeline, Decoder: card.Decoder.Name, Labels: labels})
	case zoo.Classify:
		_, err = classify.New(m, classify.Config{Pipeline: card.Pipeline, Decoder: card.Decoder.Name, Labels: labels})
	default:
		_, err = segment.New(m, segment.Config{Pipeline: card.Pipeline, Decoder: card.Decoder.Name, Labels: labels})
	}
	return err
}

// foreignOps lists the operators that are not of ONNX's own set.
func foreignOps(g *onnx.Graph) string {
	var ops []string
	for _, n := range g.Nodes {
		if op := n.Domain + ":" + n.Op; n.Domain != "" && !slices.Contains(ops, op) {
			ops = append(ops, op)
		}
	}
	return strings.Join(ops, ", ")
}
