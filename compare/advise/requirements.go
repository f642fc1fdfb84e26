package advise

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Requirements are what a team asks of a route. What is nil or empty is not asked.
type Requirements struct {
	Labels   []string `yaml:"labels" json:"labels,omitempty"`     // classes that must be known; none: all of the set
	Accuracy *float64 `yaml:"accuracy" json:"accuracy,omitempty"` // least main figure, 0 to 1
	Volume   *float64 `yaml:"volume" json:"volume,omitempty"`     // images a month; the costs' own without it
	Latency  *float64 `yaml:"latency" json:"latency,omitempty"`   // milliseconds that 95 of 100 images may take
	Budget   *float64 `yaml:"budget" json:"budget,omitempty"`     // dollars a month
	Privacy  string   `yaml:"privacy" json:"privacy,omitempty"`   // local: no image may leave the machine; any
	Labelled *int     `yaml:"labelled" json:"labelled,omitempty"` // images that are labelled, or could be
	Staff    string   `yaml:"staff" json:"staff,omitempty"`       // none, operator (runs servers) or engineer (trains models)
	Task     string   `yaml:"task" json:"task,omitempty"`         // what the routes are compared at: of a requirements file
}

// Asked reports whether anything is asked.
func (q Requirements) Asked() bool {
	return len(q.Labels) > 0 || q.Accuracy != nil || q.Volume != nil || q.Latency != nil || q.Budget != nil || q.Privacy != "" || q.Labelled != nil || q.Staff != ""
}

// Read reads requirements from a YAML file (path may be empty) and lays "key=value" pairs
// over them.
func Read(path string, pairs []string) (Requirements, error) {
	var q Requirements
	if path != "" {
		data, err := os.ReadFile(path)
		if err != nil {
			return q, err
		}
		if err := yaml.UnmarshalWithOptions(data, &q, yaml.Strict()); err != nil {
			return q, fmt.Errorf("requirements %s: %w", path, err)
		}
	}
	for _, p := range pairs {
		key, value, ok := strings.Cut(p, "=")
		if !ok {
			return q, fmt.Errorf("--require %q: it is KEY=VALUE, such as privacy=local", p)
		}
		if err := yaml.UnmarshalWithOptions([]byte(key+": "+value), &q, yaml.Strict()); err != nil {
			return q, fmt.Errorf("--require %s: %w", p, err)
		}
	}
	return q, q.check()
}

func (q Requirements) check() error {
	switch {
	case q.Privacy != "" && !slices.Contains([]string{"local", "any"}, q.Privacy):
		return fmt.Errorf("privacy is %q; it is local or any", q.Privacy)
	case q.Staff != "" && !slices.Contains([]string{"none", "operator", "engineer"}, q.Staff):
		return fmt.Errorf("staff is %q; it is none, operator or engineer", q.Staff)
	case q.Accuracy != nil && !(*q.Accuracy >= 0 && *q.Accuracy <= 1):
		return fmt.Errorf("accuracy is %v; it is 0 to 1", *q.Accuracy)
	case q.Volume != nil && !(*q.Volume >= 1):
		return fmt.Errorf("volume is %v images a month; it is 1 or more", *q.Volume)
	case q.Latency != nil && !(*q.Latency > 0):
		return fmt.Errorf("latency is %v ms; it is above 0", *q.Latency)
	case q.Budget != nil && !(*q.Budget >= 0), q.Labelled != nil && *q.Labelled < 0:
		return errors.New("budget and labelled cannot be below 0")
	}
	return nil
}
