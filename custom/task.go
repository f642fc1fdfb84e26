package custom

import "time"

// Work is what a task does.
type Work string

// The kinds of work, each for one state of progress.
const (
	ImportWork        Work = "import"     // a data set's CREATE_IN_PROGRESS
	CheckWork         Work = "check"      // a data set's UPDATE_IN_PROGRESS after an update
	DistributeWork    Work = "distribute" // the training set's UPDATE_IN_PROGRESS, for both
	TrainWork         Work = "train"
	StartWork         Work = "start"
	StopWork          Work = "stop"
	CopyWork          Work = "copy"
	DeleteDatasetWork Work = "delete-dataset"
	DeleteVersionWork Work = "delete-version"
	DeleteProjectWork Work = "delete-project"
)

// Task is work that a state of progress stands for. The store records it in the
// transaction that sets the state, together with the job that will do it, and removes
// it in the one that ends the state: there is neither a state without a task nor a task
// without a state.
type Task struct {
	Work    Work  `json:"work"`
	Subject int64 `json:"subject"` // ID of the data set, version or project
}

// Kind is the name of its job.
func (Task) Kind() string { return "trilobite" }

// Lease is a task in a worker's hands. Each claim has a greater token; what a worker
// writes under an older one is refused, so that one which was thought dead and comes
// back changes nothing.
type Lease struct {
	Task
	Holder string
	Token  int64
}

// How a lease is kept. A worker that died is noticed after LeaseTime at the latest and
// its task taken up by the next sweep.
const (
	Heartbeat = 5 * time.Second
	LeaseTime = 15 * time.Second
	Sweep     = 5 * time.Second
)
