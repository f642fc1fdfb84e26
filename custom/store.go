package custom

import (
	"context"
	"time"
)

// Store keeps everything of this package. store/storetest holds what an implementation
// must do, beyond the comments here.
//
// Every method is atomic and what it answered is durable. Times come back to the
// millisecond in UTC. A thing is named by its whole ARN: any part that differs, the
// account above all, is trilobite.NotFound. What a state does not allow is
// trilobite.InUse, as states.go has it.
type Store interface {
	ProjectStore
	DatasetStore
	VersionStore
	TagStore
	PolicyStore
	TaskStore
	DatasetWorkStore
	VersionWorkStore
	HousekeepingStore
}

// ProjectStore keeps projects.
type ProjectStore interface {
	// CreateProject records a project. It fails with InUse if the account has one of
	// this name.
	CreateProject(ctx context.Context, n NewProject) (Project, error)
	Project(ctx context.Context, a ARN) (Project, error)
	Projects(ctx context.Context, account string, q ProjectQuery) ([]Project, error)
	// DeleteProject begins to remove a project with its data sets and policies. It
	// fails with InUse while it has versions or one of its data sets is busy.
	DeleteProject(ctx context.Context, a ARN, now time.Time) (Project, error)
}

// DatasetStore keeps data sets and their entries.
type DatasetStore interface {
	// CreateDataset records a data set: empty and complete, or to be imported. It
	// fails with Exists if the project has one of the type.
	CreateDataset(ctx context.Context, n NewDataset) (Dataset, error)
	// Dataset returns a data set with its Stats.
	Dataset(ctx context.Context, a ARN) (Dataset, error)
	DeleteDataset(ctx context.Context, a ARN, now time.Time) error
	// UpdateEntries adds entries, or replaces those of the same SourceRef in their
	// place, unchecked, and begins to check them.
	UpdateEntries(ctx context.Context, a ARN, entries []Entry, now time.Time) error
	// Distribute begins to move a fifth of a training set to an empty test set.
	Distribute(ctx context.Context, train, test ARN, now time.Time) error
	Entries(ctx context.Context, a ARN, q EntryQuery) ([]Entry, error)
	// Labels returns the labels after the given one, by name.
	Labels(ctx context.Context, a ARN, after string, limit int) ([]LabelStats, error)
}

// VersionStore keeps versions.
type VersionStore interface {
	// CreateVersion records a version and begins to train it. It fails with InUse if
	// the project has a version of the name or a busy data set.
	CreateVersion(ctx context.Context, n NewVersion) (Version, error)
	Version(ctx context.Context, a ARN) (Version, error)
	// Versions leaves the labels of the versions' models out.
	Versions(ctx context.Context, project ARN, q VersionQuery) ([]Version, error)
	// CopyVersion records a copy and begins to make it.
	CopyVersion(ctx context.Context, n NewCopy) (Version, error)
	StartVersion(ctx context.Context, a ARN, minUnits, maxUnits int, now time.Time) (Version, error)
	StopVersion(ctx context.Context, a ARN, now time.Time) (Version, error)
	DeleteVersion(ctx context.Context, a ARN, now time.Time) (Version, error)
}

// TagStore keeps the tags of projects, data sets and versions.
type TagStore interface {
	// Tag sets tags. It fails with LimitExceeded if there would be more than 200.
	Tag(ctx context.Context, a ARN, tags map[string]string) error
	Untag(ctx context.Context, a ARN, names []string) error
	Tags(ctx context.Context, a ARN) (map[string]string, error)
}

// MaxTags bounds the tags of one thing (TagMap of the service model).
const MaxTags = 200

// PolicyStore keeps policies of projects.
type PolicyStore interface {
	// PutPolicy makes a policy, or changes the one of its name: then revision, if not
	// "", must be the policy's. The new revision is p.Revision.
	PutPolicy(ctx context.Context, p Policy, revision string) error
	// Policies returns a project's policies after the named one, by name.
	Policies(ctx context.Context, project ARN, after string, limit int) ([]Policy, error)
	DeletePolicy(ctx context.Context, project ARN, name, revision string) error
}

// TaskStore gives tasks to workers. Here and below, whatever is written under a lease
// that is no longer the task's fails with Canceled and changes nothing.
type TaskStore interface {
	// Claim takes a task. It fails with NotFound if the task is done, and with InUse
	// if another worker's lease is in force.
	Claim(ctx context.Context, t Task, holder string, now time.Time) (Lease, error)
	// Extend keeps a lease in force until LeaseTime after now.
	Extend(ctx context.Context, l Lease, now time.Time) error
	// Sweep queues jobs for tasks that nobody works on, and tells how many.
	Sweep(ctx context.Context, now time.Time) (int, error)
	// Remove takes up to limit rows away of what the lease deletes and reports whether
	// that was the last, which ends the task.
	Remove(ctx context.Context, l Lease, limit int) (done bool, err error)
}

// DatasetWorkStore is for those who import, check and distribute.
type DatasetWorkStore interface {
	DatasetByID(ctx context.Context, id int64) (Dataset, error)
	// EntriesByID is Entries, of a data set in any state, by its ID.
	EntriesByID(ctx context.Context, dataset int64, q EntryQuery) ([]Entry, error)
	// AddEntries adds entries to the lease's data set; those it has stay as they are.
	AddEntries(ctx context.Context, l Lease, entries []Entry) error
	// Unchecked returns entries of the lease's data set whose image nobody looked for.
	Unchecked(ctx context.Context, l Lease, after int64, limit int) ([]Entry, error)
	// Check marks entries as checked and keeps the Line of those that Failed.
	Check(ctx context.Context, l Lease, entries []Entry) error
	// FinishDataset ends an import or an update with DidImport, DidNotImport,
	// DidUpdate or DidNotUpdate. What was not imported leaves no entries.
	FinishDataset(ctx context.Context, l Lease, event, message string, now time.Time) error
	// FinishDistribute moves the given entries to the project's test set and ends the
	// update of both sets; with a message, it fails and moves none.
	FinishDistribute(ctx context.Context, l Lease, entries []int64, message string, now time.Time) error
}

// VersionWorkStore is for those who train, copy, start and stop.
type VersionWorkStore interface {
	VersionByID(ctx context.Context, id int64) (Version, error)
	// ModelInUse reports whether a version other than the given one has the model.
	ModelInUse(ctx context.Context, model string, but int64) (bool, error)
	// HasRead tells that a training has read the project's data sets, which may change
	// again from then on.
	HasRead(ctx context.Context, l Lease) error
	// Note keeps a version's detail while its task goes on.
	Note(ctx context.Context, l Lease, d VersionDetail) error
	// FinishVersion ends a version's task with the event and the detail.
	FinishVersion(ctx context.Context, l Lease, event string, d VersionDetail) error
}

// HousekeepingStore tells what must stay, and forgets what need not.
type HousekeepingStore interface {
	// Kept returns the models that versions have, and the versions in training with the
	// time when they were created, as one moment has them.
	Kept(ctx context.Context) (models []string, training map[int64]time.Time, err error)
	// Audit returns changes, newest first. What a call changes carries WithKey's key.
	Audit(ctx context.Context, q AuditQuery) ([]Change, error)
	// ForgetAudit removes the audit of what was before a time, and tells how much.
	ForgetAudit(ctx context.Context, before time.Time) (int64, error)
}
