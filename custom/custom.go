// Package custom is what a custom model is made of: projects, the data sets that they
// hold, and the versions that are trained from them; with their states, and the
// contracts of what keeps them (Store) and what learns them (Trainer, Predictor).
//
// The words and states are those of Amazon Rekognition Custom Labels, whose control
// plane this is; an ARN is a thing's name everywhere. Wire formats are in api/, SQL in
// store/, the work that takes time in jobs/.
//
// Start at Project, Dataset and Version; states.go is the table of what may become
// what, and docs/api-custom-labels.md says the same for people.
package custom

import "time"

// Project holds at most one data set of each type, and versions.
type Project struct {
	ID         int64
	ARN        ARN
	Status     ProjectStatus
	Feature    string // CUSTOM_LABELS or CONTENT_MODERATION
	AutoUpdate string // ENABLED, DISABLED or ""
	CreatedAt  time.Time
	Datasets   []Dataset // without Stats
}

// NewProject is what CreateProject records. Its ARN has everything but the stamp, which
// the store takes from CreatedAt.
type NewProject struct {
	ARN        ARN
	Feature    string
	AutoUpdate string
	Tags       map[string]string
	CreatedAt  time.Time
}

// ProjectQuery picks projects, newest first.
type ProjectQuery struct {
	Names    []string // none: all
	Features []string // none: all
	Before   int64    // projects with a smaller ID; 0: from the newest
	Limit    int
}

// Dataset is a labelled set of images, for training or for testing.
type Dataset struct {
	ID, ProjectID int64
	ARN           ARN
	Type          DatasetType
	Status        DatasetStatus
	Message       string
	MessageCode   string // SUCCESS, SERVICE_ERROR, CLIENT_ERROR
	Source        DatasetSource
	CreatedAt     time.Time
	UpdatedAt     time.Time
	Stats         DatasetStats
}

// DatasetType is TRAIN or TEST.
type DatasetType string

// The types of data sets.
const (
	Train DatasetType = "TRAIN"
	Test  DatasetType = "TEST"
)

// DatasetSource is what a data set was made from: a manifest, another data set, or
// nothing.
type DatasetSource struct {
	Manifest *Object `json:"manifest,omitempty"`
	Dataset  int64   `json:"dataset,omitempty"` // ID; 0: none
}

// Object names an object of a bucket.
type Object struct {
	Bucket  string `json:"bucket"`
	Key     string `json:"key"`
	Version string `json:"version,omitempty"`
}

// DatasetStats counts entries.
type DatasetStats struct{ Labeled, Total, Labels, Errors int }

// NewDataset is what CreateDataset records.
type NewDataset struct {
	Project   ARN
	Type      DatasetType
	Manifest  *Object
	Dataset   *ARN // to copy
	Tags      map[string]string
	CreatedAt time.Time
}

// Entry is one image of a data set.
type Entry struct {
	ID        int64
	SourceRef string // s3://bucket/key
	Line      string // the manifest's line, errors written into it
	Labels    []EntryLabel
	Failed    bool // Line holds errors
	Checked   bool // the image was looked for
}

// EntryLabel is a label of an image, with the number of its boxes; 0 for a label of
// the whole image.
type EntryLabel struct {
	Name  string
	Boxes int
}

// EntryQuery picks entries, in the order in which they came.
type EntryQuery struct {
	Labels    []string // any of them; none: all
	Labeled   *bool
	SourceRef string // a part of it
	Errors    bool   // only entries with errors
	After     int64  // entries with a greater ID
	Limit     int
}

// LabelStats counts a label's images and boxes in a data set.
type LabelStats struct {
	Name           string
	Entries, Boxes int
}
