package jobs

// summaryFile is the evaluation summary (im-summary-file-api). The developer guide's
// reference page has the aggregated figures in Metrics, its example beside it: both are
// there.
type summaryFile struct {
	Version    int        `json:"Version"`
	Details    details    `json:"EvaluationDetails"`
	Aggregated aggregated `json:"AggregatedEvaluationResults"`
	Labels     []labelled `json:"LabelEvaluationResults"`

	// Not Amazon's: how the model was chosen, and how far its confidences can be trusted.
	Search      []trial      `json:"Search,omitempty"`
	Calibration *calibration `json:"Calibration,omitempty"`
}

// trial is a way to learn that was tried; figures are of cross-validation on the training
// images, of boxes of those that were held out.
type trial struct {
	Network      string  `json:"Network"`
	Pixels       int     `json:"Pixels,omitempty"`
	Learned      string  `json:"Learned"`
	Mirrored     bool    `json:"Mirrored"`
	LearningRate float64 `json:"LearningRate"`
	WeightDecay  float64 `json:"WeightDecay"`
	Steps        int64   `json:"Steps,omitempty"`
	Folds        int     `json:"Folds,omitempty"`
	Accuracy     float64 `json:"Accuracy,omitempty"`
	Loss         float64 `json:"Loss,omitempty"`
	AP50         float64 `json:"AveragePrecision,omitempty"`
	Seconds      float64 `json:"Seconds"`
	Skipped      string  `json:"Skipped,omitempty"`
	Chosen       bool    `json:"Chosen"`
}

// calibration is the expected calibration error on the test images, before and after the
// confidences were calibrated.
type calibration struct {
	Before float64 `json:"ExpectedErrorBefore"`
	After  float64 `json:"ExpectedErrorAfter"`
}

type details struct {
	ProjectVersionArn      string   `json:"ProjectVersionArn"`
	EvaluationEndTimestamp string   `json:"EvaluationEndTimestamp"`
	Labels                 []string `json:"Labels"`
	NumberOfTrainingImages int      `json:"NumberOfTrainingImages"`
	NumberOfTestingImages  int      `json:"NumberOfTestingImages"`
}

type aggregated struct {
	aggregate
	Metrics aggregate `json:"Metrics"`
}

type aggregate struct {
	Precision        float64     `json:"Precision"`
	Recall           float64     `json:"Recall"`
	F1Score          float64     `json:"F1Score"`
	AveragePrecision *float64    `json:"AveragePrecision,omitempty"`
	AverageRecall    *float64    `json:"AverageRecall,omitempty"`
	ConfusionMatrix  []confusion `json:"ConfusionMatrix,omitempty"`
}

type confusion struct {
	GroundTruthLabel string  `json:"GroundTruthLabel"`
	PredictedLabel   string  `json:"PredictedLabel"`
	Value            float64 `json:"Value"`
}

type labelled struct {
	Label                 string       `json:"Label"`
	NumberOfTestingImages int          `json:"NumberOfTestingImages"`
	Metrics               labelMetrics `json:"Metrics"`
}

type labelMetrics struct {
	Threshold float64 `json:"Threshold"`
	Precision float64 `json:"Precision"`
	Recall    float64 `json:"Recall"`
	F1Score   float64 `json:"F1Score"`
}
