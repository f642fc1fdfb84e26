package custom

import "time"

// Version is a model of a project: in training, trained, running or copied.
type Version struct {
	ID, ProjectID int64
	ARN           ARN
	Status        VersionStatus
	CreatedAt     time.Time
	VersionDetail
}

// VersionDetail is what else is known of a version. Stores keep it as one document.
type VersionDetail struct {
	Message       string       `json:"message,omitempty"`
	Description   string       `json:"description,omitempty"`
	KMSKey        string       `json:"kms_key,omitempty"` // kept and told, not used
	Feature       string       `json:"feature,omitempty"`
	Output        Output       `json:"output"`
	Training      []Object     `json:"training,omitempty"` // manifests instead of data sets
	Testing       []Object     `json:"testing,omitempty"`
	AutoCreate    bool         `json:"auto_create,omitempty"` // test on a fifth of the training manifests
	MinUnits      int          `json:"min_units,omitempty"`
	MaxUnits      int          `json:"max_units,omitempty"`
	TrainedAt     time.Time    `json:"trained_at,omitzero"`
	Seconds       int64        `json:"seconds,omitempty"` // of training
	Evaluation    *Evaluation  `json:"evaluation,omitempty"`
	TrainingFiles VersionFiles `json:"training_files,omitzero"`
	TestingFiles  VersionFiles `json:"testing_files,omitzero"`
	Manifests     *Object      `json:"manifests,omitempty"` // the summary of both manifests' errors
	Model         ModelRef     `json:"model,omitzero"`
	Base          string       `json:"base,omitempty"` // BaseModelVersion
	Source        string       `json:"source,omitempty"`
	Progress      string       `json:"progress,omitempty"` // of a training, for people
}

// Replicas is how many requests of a running version are answered at once: its inference
// units, up to the most that it may scale to.
func (d VersionDetail) Replicas() int { return max(d.MinUnits, d.MaxUnits, 1) }

// Output is where a training writes its results.
type Output struct {
	Bucket string `json:"bucket"`
	Prefix string `json:"prefix,omitempty"`
}

// VersionFiles are the manifests of one data set of a training: as given, as used with
// predictions, and as checked with errors.
type VersionFiles struct {
	Input      []Object `json:"input,omitempty"`
	Output     *Object  `json:"output,omitempty"`
	Validation *Object  `json:"validation,omitempty"`
}

// Evaluation is a version's figure on its test set and where the summary lies.
type Evaluation struct {
	F1      float64 `json:"f1"` // 0 to 1
	Summary Object  `json:"summary"`
}

// ModelRef names a trained model to the Predictor that loads it.
type ModelRef struct {
	Name   string        `json:"name,omitempty"`
	Labels []LabelChoice `json:"labels,omitempty"`
}

// LabelChoice is a label that a model knows with its assumed threshold: the score, 0 to
// 1, from which it counts as seen.
type LabelChoice struct {
	Name      string  `json:"name"`
	Threshold float64 `json:"threshold"`
}

// NewVersion is what CreateVersion records.
type NewVersion struct {
	Project   ARN
	Name      string
	Detail    VersionDetail
	Tags      map[string]string
	CreatedAt time.Time
}

// NewCopy is what CopyVersion records.
type NewCopy struct {
	Source    ARN // a version
	Project   ARN // where the copy goes
	Name      string
	Output    Output
	KMSKey    string
	Tags      map[string]string
	CreatedAt time.Time
}

// VersionQuery picks versions of a project, newest first.
type VersionQuery struct {
	Names  []string
	Before int64 // versions with a smaller ID; 0: from the newest
	Limit  int
}

// Policy lets other accounts copy a project's versions.
type Policy struct {
	Project   ARN
	Name      string
	Revision  string
	Document  string
	CreatedAt time.Time
	UpdatedAt time.Time
}
