package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"trilobite"
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

// importFlags say how an imported model is fed and read.
type importFlags struct {
	labels, size, filter string
}

func newModelsImportCmd(app *App) *cobra.Command {
	var f importFlags
	card := zoo.Card{Licence: "unknown"}
	cmd := &cobra.Command{
		Use:   "import FILE.onnx",
		Short: "Install an ONNX model of your own",
		Long: `Installs an ONNX file (opsets 11 to 22) as a new version of a model. The decoder says how its
outputs are read: ssd, yolox, yolov8 or fcos for --task detect; softmax, sigmoid (any number of
classes at once) or probabilities for classify; mask for segment. What does not fit is refused with
the shapes that were expected.`,
		Example: `  trilobite models import yolov8n.onnx --name yolo --task detect --decoder yolov8 --labels coco80 --std 255
  trilobite models import food.onnx --name food --task classify --labels food.txt --mean 123.7,116.3,103.5 --std 58.4,57.1,57.4`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := app.config(cmd)
			if err != nil {
				return err
			}
			m, err := importModel(cmd, c, args[0], card, f)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s\t%s\n", m.Ref(), m.Dir)
			return nil
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&card.Name, "name", "", "the model's `name`: lower-case letters, digits, dots, dashes")
	fl.StringVar(&card.Title, "title", "", "one line for people")
	fl.StringVar(&card.Task, "task", "", "detect, classify or segment")
	fl.StringVar(&card.Decoder.Name, "decoder", "", "ssd, yolox, yolov8, fcos, softmax, sigmoid, probabilities or mask (default: the task's usual one)")
	fl.StringVar(&f.labels, "labels", "", "class names, one a line in a `file`; or coco80, coco90, imagenet")
	fl.StringVar(&card.Licence, "licence", card.Licence, "the weights' licence")
	fl.StringVar(&f.size, "size", "", "input size, `WIDTHxHEIGHT` (default: the graph's)")
	fl.StringVar(&card.Pipeline.Resize, "resize", "", "exact, centre-crop or letterbox (default: letterbox for yolo, centre-crop for classify, else exact)")
	fl.Float32Var(&card.Pipeline.Crop, "crop", 0, "centre-crop's share of the resized picture (default 0.875)")
	fl.StringVar(&f.filter, "filter", "bilinear", "bilinear-tf, bilinear-half-pixel, bilinear, bicubic, area or lanczos")
	fl.Float32SliceVar(&card.Pipeline.Mean, "mean", nil, "subtracted from pixels of 0 to 255: one value or three")
	fl.Float32SliceVar(&card.Pipeline.Std, "std", nil, "divides pixels after that: one value or three")
	fl.StringVar(&card.Pipeline.Layout, "layout", "", "nchw or nhwc (default: as the graph's input looks)")
	fl.StringVar(&card.Pipeline.Order, "order", "", "rgb or bgr")
	for _, name := range []string{"name", "task"} {
		cobra.CheckErr(cmd.MarkFlagRequired(name))
	}
	return cmd
}

func importModel(cmd *cobra.Command, c config.Config, path string, card zoo.Card, f importFlags) (zoo.Model, error) {
	g, err := onnx.Load(path)
	if err != nil {
		return zoo.Model{}, fmt.Errorf("importing %s: %w", path, err)
	}
	if err := complete(&card, g, f); err != nil {
		return zoo.Model{}, err
	}
	tax, err := puller(c, cmd, false).Taxonomy(cmd.Context())
	if err != nil {
		return zoo.Model{}, err
	}
	card, g, labels, err := zoo.Prepare(zoo.ImportParams{Graph: path, Labels: f.labels, Card: card}, classCount(card.Decoder.Name), tax)
	if err != nil {
		return zoo.Model{}, err
	}
	if err := tryModel(cmd.Context(), c.ORT, g, card, labels.Names()); err != nil {
		return zoo.Model{}, err
	}
	return zoo.NewStore(c.Home).Put(card, g, labels)
}

// complete fills in what the flags leave open: the usual decoder and resize of the
// task, layout and size as the graph's input has them.
func complete(card *zoo.Card, g *onnx.Graph, f importFlags) error {
	usual := map[string]string{zoo.Detect: "yolov8", zoo.Classify: "softmax", zoo.Segment: "mask"}
	if card.Decoder.Name == "" {
		card.Decoder.Name = usual[card.Task]
	}
	p := &card.Pipeline
	var err error
	if p.Filter, err = imageio.ParseFilter(f.filter); err != nil {
		return err
	}
	if p.Resize == "" {
		switch {
		case strings.HasPrefix(card.Decoder.Name, "yolo"):
			p.Resize = pipeline.Letterbox
		case card.Task == zoo.Classify:
			p.Resize = pipeline.CentreCrop
		default:
			p.Resize = pipeline.Exact
		}
	}
	if p.Resize == pipeline.CentreCrop && p.Crop == 0 {
		p.Crop = 0.875
	}
	if len(g.Inputs) != 1 || len(g.Inputs[0].Shape) != 4 {
		return &trilobite.Error{Op: "models.import", Code: trilobite.Invalid, Msg: fmt.Sprintf("The graph has %d inputs; a vision model has one, of shape [N,3,H,W] or [N,H,W,3].", len(g.Inputs))}
	}
	shape := g.Inputs[0].Shape
	if p.Layout == "" && shape[3] == 3 && shape[1] != 3 {
		p.Layout = pipeline.NHWC
	}
	h, w := shape[2], shape[3]
	if p.Layout == pipeline.NHWC {
		h, w = shape[1], shape[2]
	}
	if f.size != "" {
		if n, err := fmt.Sscanf(f.size, "%dx%d", &w, &h); n != 2 || err != nil {
			return &trilobite.Error{Op: "models.import", Code: trilobite.Invalid, Msg: fmt.Sprintf("--size is %q; it is WIDTHxHEIGHT, for example 640x640.", f.size)}
		}
	}
	if h < 1 || w < 1 {
		return &trilobite.Error{Op: "models.import", Code: trilobite.Invalid, Msg: fmt.Sprintf("The graph's input %s leaves the size open; name it with --size.", shape)}
	}
	p.Width, p.Height = int(w), int(h)
	return nil
}

// classCount returns how many classes a decoder will read from a graph, for a model
// that comes without a label list.
func classCount(decoder string) func(*onnx.Graph) (int, error) {
	return func(g *onnx.Graph) (int, error) {
		s := g.Outputs[0].Shape
		n := onnx.Unknown
		switch {
		case len(s) < 2:
		case decoder == "yolov8":
			n = s[1] - 4
		case decoder == "yolox":
			n = s[len(s)-1] - 5
		case decoder == "mask":
			n = s[1]
		default:
			n = s[len(s)-1]
		}
		if n < 1 {
			return 0, &trilobite.Error{Op: "models.import", Code: trilobite.Invalid, Msg: fmt.Sprintf("The number of classes cannot be told from the output %s; name them with --labels.", s)}
		}
		return int(n), nil
	}
}

// tryModel loads the graph as the server will and lets the decoder judge its outputs.
func tryModel(ctx context.Context, c config.ORT, g *onnx.Graph, card zoo.Card, labels []string) error {
	data, err := onnx.Marshal(g)
	if err != nil {
		return err
	}
	rt, err := openRuntime(c)
	if err != nil {
		return err
	}
	m, err := rt.LoadBytes(ctx, data, ort.Options{Name: card.Name})
	if err != nil {
		return fmt.Errorf("loading the model: %w", err)
	}
	defer m.Close()
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
