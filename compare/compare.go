// Package compare puts routes to an answer side by side on a team's own labelled images:
// pretrained models, custom models, own models, here or at a cloud vendor. It sends every
// image down every route, keeps what came back in a folder so that nothing is asked (or
// paid for) twice, finds the set's classes in each route's own vocabulary, and measures.
//
// Start at Run: it prepares a route (trains it, where it is to be trained), collects its
// answers (collect.go, folder.go), matches labels (match.go) and judges them (judge.go
// and one file per task: classes.go, boxes.go, pixels.go), with intervals and paired tests
// of package metric. The way to one route's answers is an Asker: local.go has those of
// this machine, package compare/cloud the vendors'. What it costs is compare/cost's
// business, what to choose compare/advise's, and what people look at compare/report's.
package compare

import (
	"context"
	"time"

	"trilobite/dataset"
	"trilobite/geom"
)

// Kind is one of the three columns of the comparison.
type Kind string

// The kinds: a model that somebody else trained for everybody, one that a service trains
// on the team's labels, and a network and recipe of the team's own.
const (
	Pretrained Kind = "pretrained"
	Custom     Kind = "custom"
	Own        Kind = "own"
)

// Kinds returns the columns from left to right.
func Kinds() []Kind { return []Kind{Pretrained, Custom, Own} }

// Route is a way to an answer.
type Route struct {
	Name string // unique in a run: names its folder and its row
	Kind Kind
	// Service is whose it is, as in the price book and the table of capabilities:
	// trilobite, rekognition, custom-labels, vision or vertex.
	Service string
	Remote  *Remote // nil: on this machine

	// Train learns the route from labelled images, in a folder of its own; nil where
	// nothing is to be learned. It goes on from what the folder holds.
	Train func(ctx context.Context, set *dataset.Set, dir string) error
	// Recipe says how it learns, for people: what was chosen, and by whom.
	Recipe, RecipeJA string
	// Open makes the route ready; dir is where Train left its model, "" without it.
	Open func(ctx context.Context, dir string) (Asker, error)
}

// Remote says where a route's images go.
type Remote struct {
	Host, Region string
	Feature      string  // of the price book: what each call is billed as
	PerCall      *Money  // price of a call; nil: unknown, or not billed by call
	Rate         float64 // calls a second at most
	Retries      int     // after the first try, of calls that were refused for a moment
	Clients      int     // calls at a time; 0: one
}

// Money is an amount in US dollars.
type Money float64

// Asker asks a route about an image file. It is safe for concurrent use.
type Asker interface {
	Ask(ctx context.Context, image []byte) (Answer, error)
	// Source names what answers, exactly enough that answers of another source are not
	// taken for its own: models with versions, service, region, model ARN.
	Source() string
	// Vocabulary lists every label that the route can answer; nil where nobody knows.
	Vocabulary() []Label
	Close() error
}

// Answer is what a route said of an image.
type Answer struct {
	Labels []Label `json:"labels,omitempty"`
	// Mask is a palette PNG whose values are indices into the vocabulary.
	Mask []byte `json:"mask,omitempty"`
	// Raw is the service's own answer as it came; empty for routes of this machine.
	Raw []byte `json:"-"`
}

// Label is a name that a route gave an image, or a box in it.
type Label struct {
	Name    string     `json:"name"`
	Score   float64    `json:"score"`             // 0 to 1
	Box     *geom.Rect `json:"box,omitempty"`     // pixels of the upright image
	Aliases []string   `json:"aliases,omitempty"` // the route's own word for what it says
	Parents []string   `json:"parents,omitempty"` // what it says that the label belongs to
}

// Task is what the set's labels are for.
type Task string

// The tasks.
const (
	Classify Task = "classify"
	Detect   Task = "detect"
	Segment  Task = "segment"
)

// Config is what Run is told.
type Config struct {
	Set      *dataset.Set // split: what trains is Train, what is asked about is Test
	Task     Task
	Dir      string // answers, models and the result are kept here
	Routes   []Route
	Match    *Matcher
	MinScore float64 // an answer below it is none
	Rounds   int     // of the bootstrap; 0: 1000
	Seed     uint64
	Curve    []float64 // shares of the training images for the learning curve; none: no curve
	Parallel int       // calls at a time for the throughput of this machine
	Budget   *Budget   // of paid calls; nil: there are none
	// Memory measures the peak memory of a route of this machine, bytes, in a process that does
	// nothing else (PeakMemory runs there); nil: it is not measured.
	Memory func(ctx context.Context, route string) (int64, error)
	Show   func(Progress) // nil: nobody looks
	Now    func() time.Time
}

// Progress is how far a route has come.
type Progress struct {
	Route string
	What  string // what is done at the moment
	Done  int
	All   int // 0: not counted
}
