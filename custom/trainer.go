package custom

import (
	"context"

	"trilobite/dataset"
	"trilobite/geom"
)

// Learning is what a model learns, which the labels of its training set decide.
type Learning string

// What is learned.
const (
	OneLabel   Learning = "one label"      // each image has exactly one label
	ManyLabels Learning = "several labels" // each image has any number of labels
	Boxes      Learning = "bounding boxes" // labels have places
)

// Trainer learns a model.
type Trainer interface {
	// Train learns from r.Train and measures on r.Test. It goes on from what r.Dir
	// holds, which an earlier call with the same r may have left there. An error that
	// a person can mend by other data is a trilobite.Error of code Invalid.
	Train(ctx context.Context, r TrainingRun) (TrainingResult, error)
}

// TrainingRun is what a training is given.
type TrainingRun struct {
	Name        string // of the model to be: unique, the same when the training is taken up again
	Learning    Learning
	Train, Test *dataset.Set // the same Classes; images are local files that stay until Train returns
	Dir         string       // for checkpoints
	// Progress is told how it goes, for people, at least at every checkpoint. Its
	// error ends the training: somebody else has it now, or nobody should.
	Progress func(text string) error
}

// TrainingResult is what a training came to.
type TrainingResult struct {
	Model       string         // names it to the Predictor
	Base        string         // names what it was made from, such as a backbone and its version
	Thresholds  []float64      // by class, 0 to 1: best F1 on held-out training images
	Predictions [][]Prediction // by test image, surest first
	Tried       []Trial        // ways to learn, in the order in which they were tried
	Calibration *Calibration   // nil: not measured
}

// Trial is a way to learn that a trainer tried, and what came of it in cross-validation, or,
// with boxes, on images that were held out.
type Trial struct {
	Network  string  // the backbone
	Size     int     // pixels of its input's side, the horizontal one; 0: not known yet
	Learned  string  // which layers
	Mirrored bool    // learned from mirrored images too
	Rate     float64 // of learning
	Decay    float64 // of weights
	Steps    int64   // of the last layer, whose best is kept
	Folds    int     // 0: none
	Right    float64 // share of the decisions that are right, 0 to 1
	Loss     float64 // mean cross-entropy of a decision, calibrated
	AP50     float64 // of boxes, COCO's at an IoU of 0.5, in place of both
	Seconds  float64
	Skipped  string // why it was not tried; "" if it was
	Chosen   bool
}

// Calibration is the expected calibration error on the test images, 0 to 1.
type Calibration struct{ Before, After float64 }

// Prediction is a label that a model sees in an image.
type Prediction struct {
	Class int
	Score float64    // 0 to 1, calibrated
	Box   *geom.Rect // in pixels of the upright image; nil for the whole image
}

// Predictor runs trained models.
type Predictor interface {
	// Load makes a model ready with replicas side by side. Loading it again is cheap.
	Load(ctx context.Context, model string, replicas int) error
	// Predict returns every label with its score, surest first, and the image's size; as
	// many requests as replicas run at once. It fails with Throttled when too many wait.
	Predict(ctx context.Context, model string, replicas int, image []byte) (p []Prediction, w, h int, err error)
	// Unload frees a model's memory. One that is not loaded is no error.
	Unload(ctx context.Context, model string) error
	// Remove takes a model away for good. One that is not there is no error.
	Remove(ctx context.Context, model string) error
}
