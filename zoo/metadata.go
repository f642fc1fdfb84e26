package zoo

import (
	"encoding/json"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"

	"trilobite/imageio"
	"trilobite/onnx"
	"trilobite/pipeline"
)

// Metadata is what an ONNX file says of its model in words. What it does not say is empty.
type Metadata struct {
	Task, Decoder, Licence string
	Labels                 []string // by class
	Pipeline               *pipeline.Spec
	Inside                 bool // preprocessing is in the graph
}

// ReadMetadata reads what `trilobite export` writes into a file (export.Describe), and the
// class names and the task that Ultralytics does.
func ReadMetadata(g *onnx.Graph) (Metadata, error) {
	m := Metadata{Task: g.Meta["trilobite.task"], Decoder: g.Meta["trilobite.decoder"], Licence: g.Meta["trilobite.licence"]}
	if text := g.Meta["trilobite.labels"]; text != "" {
		if err := json.Unmarshal([]byte(text), &m.Labels); err != nil {
			return m, invalidf("The file's metadata trilobite.labels is no list of names: %v.", err)
		}
	}
	if text := g.Meta["trilobite.preprocessing"]; text == "inside" {
		m.Inside = true
	} else if text != "" {
		m.Pipeline = &pipeline.Spec{Filter: imageio.Bilinear}
		err := yaml.Unmarshal([]byte(text), m.Pipeline)
		if err == nil {
			err = m.Pipeline.Validate()
		}
		if err != nil {
			return m, invalidf("The file's metadata trilobite.preprocessing cannot be read: %v.", err)
		}
	}
	if g.Meta["author"] == "Ultralytics" {
		return m, m.readUltralytics(g.Meta)
	}
	return m, nil
}

// readUltralytics takes what Exporter in ultralytics/engine/exporter.py writes.
func (m *Metadata) readUltralytics(meta map[string]string) error {
	m.Labels, m.Licence = pythonNames(meta["names"]), meta["license"]
	switch task := meta["task"]; task {
	case "", Detect:
		m.Task = task
	case Classify: // classify_transforms of ultralytics/data/augment.py
		m.Task, m.Pipeline = task, &pipeline.Spec{Resize: pipeline.CentreCrop, Crop: 1, Filter: imageio.Bilinear, Std: []float32{255}}
	default:
		return invalidf("The file is for Ultralytics' task %q; those that are read here are detect and classify.", task)
	}
	return nil
}

// pythonName is an entry of a Python dict of names by number.
var pythonName = regexp.MustCompile(`(\d+): (?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")`)

// pythonNames reads {0: 'person', 1: "a'b"}; nil where the numbers are not 0, 1, 2, ….
func pythonNames(text string) []string {
	var names []string
	for _, at := range pythonName.FindAllStringSubmatch(text, -1) {
		if at[1] != strconv.Itoa(len(names)) {
			return nil
		}
		names = append(names, at[2]+at[3])
	}
	return names
}

// UsualPipeline is how pictures are prepared for a model of a file that does not say it:
// for detectors as the projects of their decoders do it, else unchanged pixels.
func UsualPipeline(task, decoder string, outputs int) pipeline.Spec {
	p := pipeline.Spec{Resize: pipeline.Exact, Filter: imageio.Bilinear}
	switch {
	case decoder == "yolov8", decoder == "boxes" && outputs == 1: // Ultralytics' LetterBox
		p.Resize, p.Fill, p.Std = pipeline.Letterbox, 114, []float32{255}
	case decoder == "yolox": // preproc of yolox/data/data_augment.py
		p.Resize, p.Fill, p.Align, p.Order = pipeline.Letterbox, 114, pipeline.Corner, pipeline.BGR
	case decoder == "boxes": // torchvision's detectors normalise inside
		p.Std = []float32{255}
	case task == Classify:
		p.Resize, p.Crop = pipeline.CentreCrop, UsualCrop
	}
	return p
}

// UsualCrop is the share of a picture that classifiers see: 224 of 256.
const UsualCrop = 0.875
