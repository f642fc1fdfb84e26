package runs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"trilobite/atomicfile"
	"trilobite/metric"
)

// Evaluation is how the result does on the validation part: evaluation.json, the matter
// of the report. Parts that a task does not have stay empty.
type Evaluation struct {
	Images      int                     `json:"images"`
	Figures     []Figure                `json:"figures"` // the main one first
	Columns     []string                `json:"columns"` // of Classes: "IoU", "precision" and so on
	Classes     []ClassFigures          `json:"classes"`
	Confusion   [][]int64               `json:"confusion,omitempty"` // [truth][predicted], as Classes
	Curves      []Curve                 `json:"curves,omitempty"`
	Calibration []metric.CalibrationBin `json:"calibration,omitempty"`
	ECE         *Number                 `json:"ece,omitempty"`
	Worst       []Picture               `json:"worst,omitempty"` // the worst first
	Key         []KeyColor              `json:"key,omitempty"`   // of the pictures in Worst
}

// KeyColor says which colour a class has in pictures.
type KeyColor struct {
	Name  string   `json:"name"`
	Color [3]uint8 `json:"color"` // RGB
}

// Figure is a result with its name, such as mIoU.
type Figure struct {
	Name     string           `json:"name"`
	Value    Number           `json:"value"`
	Interval *metric.Interval `json:"interval,omitempty"` // 95 percent
}

// ClassFigures are a class's row of figures.
type ClassFigures struct {
	Name    string   `json:"name"`
	Samples int64    `json:"samples"` // in the truth: images, objects or pixels
	Values  []Number `json:"values"`  // as Columns; NaN where there is none
}

// Curve is a class's precision by recall, recall rising.
type Curve struct {
	Class     string    `json:"class"`
	AP        Number    `json:"ap"`
	Recall    []float64 `json:"recall"`
	Precision []float64 `json:"precision"`
}

// Picture is a prediction beside its truth. The pictures are small JPEG or PNG files.
type Picture struct {
	File      string `json:"file"`
	Note      string `json:"note"`      // how wrong it is
	Truth     string `json:"truth"`     // in words; may be empty
	Predicted string `json:"predicted"` // in words; may be empty
	Image     []byte `json:"image,omitempty"`
	TruthDraw []byte `json:"truth_image,omitempty"`
	FoundDraw []byte `json:"predicted_image,omitempty"`
}

// FromConfusion begins an Evaluation with what a confusion matrix tells of classes or,
// with pixels, of a segmentation.
func FromConfusion(names []string, c *metric.Confusion, pixels bool) Evaluation {
	e := Evaluation{Columns: []string{"precision", "recall", "F1"}}
	figures := []func(int) float64{c.Precision, c.Recall, c.F1}
	if pixels {
		e.Columns = []string{"IoU", "Dice", "precision", "recall"}
		figures = []func(int) float64{c.IoU, c.F1, c.Precision, c.Recall}
		e.Figures = []Figure{{Name: "mIoU", Value: Number(c.MeanIoU())}, {Name: "pixel accuracy", Value: Number(c.Accuracy())}}
	} else {
		e.Figures = []Figure{{Name: "accuracy", Value: Number(c.Accuracy())}, {Name: "mean F1", Value: Number(c.Mean(c.F1))}}
	}
	for class, name := range names {
		row := ClassFigures{Name: name, Samples: c.Truth(class)}
		counts := make([]int64, len(names))
		for _, f := range figures {
			v := math.NaN()
			if c.Present(class) {
				v = f(class)
			}
			row.Values = append(row.Values, Number(v))
		}
		for p := range names {
			counts[p] = c.Count(class, p)
		}
		e.Classes = append(e.Classes, row)
		e.Confusion = append(e.Confusion, counts)
	}
	return e
}

// SaveEvaluation writes evaluation.json.
func (f *Folder) SaveEvaluation(e Evaluation) error {
	data, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("writing evaluation.json: %w", err)
	}
	return atomicfile.WriteFile(filepath.Join(f.dir, "evaluation.json"), data, atomicfile.Perm)
}

// maxEvaluation bounds evaluation.json in bytes, its pictures included.
const maxEvaluation = 64 << 20

// Evaluation reads a run's evaluation.json; nil where it has none yet.
func (s *Store) Evaluation(id string) (*Evaluation, error) {
	path := filepath.Join(s.Dir(id), "evaluation.json")
	at, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if at.Size() > maxEvaluation {
		return nil, fmt.Errorf("%s is larger than %d MiB", path, maxEvaluation>>20)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var e Evaluation
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return &e, nil
}
