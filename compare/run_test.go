package compare

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"trilobite/dataset"
)

// oracle answers what an image's own text says, and counts the calls.
type oracle struct {
	calls atomic.Int64
	fail  func(call int64, image string) error
	words []Label
}

func (o *oracle) Source() string      { return "oracle@1" }
func (o *oracle) Vocabulary() []Label { return o.words }
func (o *oracle) Close() error        { return nil }

func (o *oracle) Ask(_ context.Context, image []byte) (Answer, error) {
	n := o.calls.Add(1)
	if o.fail != nil {
		if err := o.fail(n, string(image)); err != nil {
			return Answer{}, err
		}
	}
	_, said, _ := strings.Cut(string(image), "says ")
	return Answer{Labels: []Label{{Name: said, Score: 0.9}}, Raw: []byte(`{"said":"` + said + `"}`)}, nil
}

func (o *oracle) open(context.Context, string) (Asker, error) { return o, nil }

// photos writes a set whose images are texts "N: CLASS says ANSWER".
func photos(t *testing.T, says ...string) *dataset.Set {
	t.Helper()
	dir := t.TempDir()
	set := &dataset.Set{Classes: []string{"dog", "cat"}, Ignore: dataset.NoIgnore}
	for i, s := range says {
		file := filepath.Join(dir, fmt.Sprintf("%d.jpg", i))
		if err := os.WriteFile(file, fmt.Appendf(nil, "%d: %s", i, s), 0o600); err != nil {
			t.Fatal(err)
		}
		class := 0
		if strings.HasPrefix(s, "cat") {
			class = 1
		}
		set.Images = append(set.Images, dataset.Image{File: file, Split: dataset.Test, Classes: []int{class}})
	}
	return set
}

func config(t *testing.T, set *dataset.Set, routes ...Route) Config {
	t.Helper()
	return Config{Set: set, Task: Classify, Dir: t.TempDir(), Routes: routes, Match: NewMatcher(set.Classes, words(t), nil),
		MinScore: 0.1, Rounds: 100, Parallel: 1}
}

func TestRun(t *testing.T) {
	t.Parallel()
	set := photos(t, "dog says Dog", "dog says Beagle", "cat says Plate", "cat says Cat")
	o := &oracle{words: []Label{{Name: "Dog"}, {Name: "Beagle"}, {Name: "Plate"}, {Name: "Cat"}}}
	c := config(t, set, Route{Name: "a", Open: o.open}, Route{Name: "none", Open: func(context.Context, string) (Asker, error) { return nil, &MissingError{"It names no pixels."} }})
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	a := r.Routes[0]
	if f := a.Main(); f.Name != "accuracy" || f.Value != 0.75 || f.Interval == nil || len(a.Unmatched) != 0 {
		t.Errorf("%+v", a)
	}
	if len(a.Strangers) != 1 || a.Strangers[0] != (Count{"Plate", 1}) || len(a.Matches) != 3 {
		t.Errorf("matches %v, strangers %v", a.Matches, a.Strangers)
	}
	if a.Calls != 4 || a.Sent != 0 || a.Throughput <= 0 || a.Latency.N != 4 {
		t.Errorf("measured %+v", a)
	}
	if r.Routes[1].Missing != "It names no pixels." || len(r.Tests) != 0 {
		t.Errorf("%+v, %v", r.Routes[1], r.Tests)
	}
	asked := o.calls.Load()
	if _, err := Run(t.Context(), c); err != nil || o.calls.Load() != asked+warmups {
		t.Errorf("the second run: %v, %d calls more, want %d to warm up", err, o.calls.Load()-asked, warmups)
	}
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	o := &oracle{}
	set := photos(t, "dog says Dog")
	bare := *set
	bare.Images = []dataset.Image{{File: set.Images[0].File, Split: dataset.Test}}
	empty := *set
	empty.Images = nil
	for name, tt := range map[string]struct {
		c    Config
		want string
	}{
		"no route":         {config(t, set), "There is no route"},
		"no image":         {config(t, &empty, Route{Name: "a", Open: o.open}), "There is no image to ask about"},
		"no ground truth":  {config(t, &bare, Route{Name: "a", Open: o.open}), "has a label"},
		"two of one name":  {config(t, set, Route{Name: "a", Open: o.open}, Route{Name: "a", Open: o.open}), "Two routes are called a."},
		"paid without cap": {config(t, set, Route{Name: "a", Open: o.open, Remote: &Remote{}}), "no spending cap"},
		"nothing to train on is said, not an end": {config(t, set, Route{Name: "a", Open: o.open, Train: func(context.Context, *dataset.Set, string) error { return nil }}), ""},
	} {
		_, err := Run(t.Context(), tt.c)
		if tt.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

// TestTrainAndCurve: a route learns once from all and once from each share, and an
// unchanged set is not learned again.
func TestTrainAndCurve(t *testing.T) {
	t.Parallel()
	set := photos(t, "dog says Dog", "cat says Cat", "dog says Dog", "dog says Dog", "dog says Dog", "dog says Dog", "cat says Cat", "cat says Cat", "cat says Cat", "cat says Cat")
	for i := 2; i < len(set.Images); i++ {
		set.Images[i].Split = dataset.Train
	}
	var sizes []int
	o := &oracle{}
	c := config(t, set, Route{Name: "own", Open: o.open, Train: func(_ context.Context, s *dataset.Set, dir string) error {
		sizes = append(sizes, len(s.Images))
		return os.WriteFile(filepath.Join(dir, "model"), nil, 0o600)
	}})
	c.Curve = []float64{0.1, 0.75}
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(sizes) != "[8 4 6]" {
		t.Errorf("learned from %v images, want 8, at least two of each class, and three quarters", sizes)
	}
	curve := r.Routes[0].Curve
	if len(curve) != 3 || curve[0].Images != 4 || curve[2].Share != 1 || curve[2].Images != 8 {
		t.Errorf("curve %+v", curve)
	}
	if _, err := Run(t.Context(), c); err != nil || len(sizes) != 3 {
		t.Errorf("the second run learned again: %v, %v", sizes, err)
	}
}

// TestMemory: routes of this machine are weighed once, each alone, remote ones never.
func TestMemory(t *testing.T) {
	t.Parallel()
	o, free := &oracle{}, Money(0)
	c := config(t, photos(t, "dog says Dog", "cat says Cat"), Route{Name: "here", Open: o.open}, Route{Name: "there", Open: o.open, Remote: &Remote{Host: "h", PerCall: &free}})
	var weighed []string
	c.Memory = func(_ context.Context, route string) (int64, error) {
		weighed = append(weighed, route)
		return 123 << 20, nil
	}
	var err error
	if c.Budget, err = OpenBudget(c.Dir, 0, false); err != nil {
		t.Fatal(err)
	}
	defer c.Budget.Close()
	for range 2 { // the second run takes what the first one measured
		r, err := Run(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if r.Routes[0].PeakMemory != 123<<20 || r.Routes[1].PeakMemory != 0 || len(weighed) != 1 || weighed[0] != "here" {
			t.Errorf("weighed %v: %d and %d", weighed, r.Routes[0].PeakMemory, r.Routes[1].PeakMemory)
		}
	}
	c.Memory = func(context.Context, string) (int64, error) { return 0, errors.New("no process") }
	c.Dir = t.TempDir()
	if _, err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "no process") {
		t.Errorf("where it fails: %v", err)
	}
	before := o.calls.Load()
	if most, err := PeakMemory(t.Context(), c, "here"); err != nil || most < 1<<20 || o.calls.Load() == before {
		t.Errorf("this process: %d bytes, %v", most, err)
	}
	if _, err := PeakMemory(t.Context(), c, "nowhere"); err == nil {
		t.Error("a route that there is not was weighed")
	}
}
