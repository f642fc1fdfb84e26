package custom

import (
	"fmt"
	"slices"

	"trilobite"
)

// ProjectStatus is a state of a project.
type ProjectStatus string

// The states of projects.
const (
	ProjectCreated  ProjectStatus = "CREATED"
	ProjectDeleting ProjectStatus = "DELETING"
)

// DatasetStatus is a state of a data set.
type DatasetStatus string

// The states of data sets.
const (
	CreateInProgress DatasetStatus = "CREATE_IN_PROGRESS"
	CreateComplete   DatasetStatus = "CREATE_COMPLETE"
	CreateFailed     DatasetStatus = "CREATE_FAILED"
	UpdateInProgress DatasetStatus = "UPDATE_IN_PROGRESS"
	UpdateComplete   DatasetStatus = "UPDATE_COMPLETE"
	UpdateFailed     DatasetStatus = "UPDATE_FAILED"
	DeleteInProgress DatasetStatus = "DELETE_IN_PROGRESS"
)

// Usable reports whether the entries are whole: after a failed update they are as before.
func (s DatasetStatus) Usable() bool {
	return s == CreateComplete || s == UpdateComplete || s == UpdateFailed
}

// VersionStatus is a state of a version.
type VersionStatus string

// The states of versions. DEPRECATED and EXPIRED, which the service has for models of
// its old runtimes, never come about here.
const (
	TrainingInProgress VersionStatus = "TRAINING_IN_PROGRESS"
	TrainingCompleted  VersionStatus = "TRAINING_COMPLETED"
	TrainingFailed     VersionStatus = "TRAINING_FAILED"
	Starting           VersionStatus = "STARTING"
	Running            VersionStatus = "RUNNING"
	Failed             VersionStatus = "FAILED"
	Stopping           VersionStatus = "STOPPING"
	Stopped            VersionStatus = "STOPPED"
	Deleting           VersionStatus = "DELETING"
	CopyingInProgress  VersionStatus = "COPYING_IN_PROGRESS"
	CopyingCompleted   VersionStatus = "COPYING_COMPLETED"
	CopyingFailed      VersionStatus = "COPYING_FAILED"
)

// Busy reports whether the state ends by itself.
func (s VersionStatus) Busy() bool {
	return slices.Contains([]VersionStatus{TrainingInProgress, Starting, Stopping, Deleting, CopyingInProgress}, s)
}

// VersionMove is one row of the table of versions' states.
type VersionMove struct {
	Event string // a call, or what a job came to
	From  []VersionStatus
	To    VersionStatus
}

// The events of versions: calls first, then what their jobs come to.
const (
	StartCall      = "StartProjectVersion"
	StopCall       = "StopProjectVersion"
	DeleteCall     = "DeleteProjectVersion"
	DidTrain       = "trained"
	DidNotTrain    = "training failed"
	DidStart       = "started"
	DidNotStart    = "start failed"
	DidStop        = "stopped"
	DidCopy        = "copied"
	DidNotCopy     = "copying failed"
	DidImport      = "imported"
	DidNotImport   = "import failed"
	UpdateCall     = "UpdateDatasetEntries"
	DistributeCall = "DistributeDatasetEntries"
	DeleteSetCall  = "DeleteDataset"
	DidUpdate      = "updated"
	DidNotUpdate   = "update failed"
)

// VersionMoves is every way a version's state changes. What is not here is refused.
func VersionMoves() []VersionMove {
	return []VersionMove{
		{DidTrain, []VersionStatus{TrainingInProgress}, TrainingCompleted},
		{DidNotTrain, []VersionStatus{TrainingInProgress}, TrainingFailed},
		{StartCall, []VersionStatus{TrainingCompleted, CopyingCompleted, Stopped, Failed}, Starting},
		{DidStart, []VersionStatus{Starting}, Running},
		{DidNotStart, []VersionStatus{Starting}, Failed},
		{StopCall, []VersionStatus{Running}, Stopping},
		{DidStop, []VersionStatus{Stopping}, Stopped},
		{DidCopy, []VersionStatus{CopyingInProgress}, CopyingCompleted},
		{DidNotCopy, []VersionStatus{CopyingInProgress}, CopyingFailed},
		{DeleteCall, []VersionStatus{TrainingCompleted, TrainingFailed, CopyingCompleted, CopyingFailed, Stopped, Failed}, Deleting},
	}
}

// Next returns the state that an event leads to from s. It fails with trilobite.InUse
// where the event has no place.
func (s VersionStatus) Next(event string) (VersionStatus, error) {
	for _, m := range VersionMoves() {
		if m.Event == event && slices.Contains(m.From, s) {
			return m.To, nil
		}
	}
	return s, refuse(event, string(s))
}

// DatasetMove is one row of the table of data sets' states.
type DatasetMove struct {
	Event string
	From  []DatasetStatus
	To    DatasetStatus
}

// DatasetMoves is every way a data set's state changes. What is not here is refused.
func DatasetMoves() []DatasetMove {
	usable := []DatasetStatus{CreateComplete, UpdateComplete, UpdateFailed}
	return []DatasetMove{
		{DidImport, []DatasetStatus{CreateInProgress}, CreateComplete},
		{DidNotImport, []DatasetStatus{CreateInProgress}, CreateFailed},
		{UpdateCall, usable, UpdateInProgress},
		{DistributeCall, usable, UpdateInProgress},
		{DidUpdate, []DatasetStatus{UpdateInProgress}, UpdateComplete},
		{DidNotUpdate, []DatasetStatus{UpdateInProgress}, UpdateFailed},
		{DeleteSetCall, append([]DatasetStatus{CreateFailed}, usable...), DeleteInProgress},
	}
}

// Next returns the state that an event leads to from s. It fails with trilobite.InUse
// where the event has no place.
func (s DatasetStatus) Next(event string) (DatasetStatus, error) {
	for _, m := range DatasetMoves() {
		if m.Event == event && slices.Contains(m.From, s) {
			return m.To, nil
		}
	}
	return s, refuse(event, string(s))
}

func refuse(event, state string) error {
	return &trilobite.Error{
		Op: "custom.Next", Code: trilobite.InUse,
		Msg: fmt.Sprintf("%s is not possible while the status is %s.", event, state),
	}
}
