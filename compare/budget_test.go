package compare

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trilobite"
)

// TestInterrupted: what was paid for is never paid again, however often the run is stopped.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	set := photos(t, "dog says Dog", "dog says Dog", "cat says Cat", "cat says Cat", "cat says Dog")
	price := Money(0.5)
	o := &oracle{}
	c := config(t, set, Route{Name: "cloud", Open: o.open, Remote: &Remote{Host: "example.com", PerCall: &price}})
	run := func(limit Money) (*Result, error) {
		b, err := OpenBudget(c.Dir, limit, false)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		c.Budget = b
		return Run(t.Context(), c)
	}
	if _, err := run(1); trilobite.CodeOf(err) != trilobite.LimitExceeded || o.calls.Load() != 2 {
		t.Fatalf("with $1: %v after %d calls, want the cap after 2", err, o.calls.Load())
	}
	o.fail = func(int64, string) error { return errors.New("the line went dead") } // paid, perhaps
	if _, err := run(2); err == nil || !strings.Contains(err.Error(), "the line went dead") || o.calls.Load() != 3 {
		t.Fatalf("%v after %d calls", err, o.calls.Load())
	}
	o.fail = nil
	r, err := run(10)
	if err != nil || o.calls.Load() != 6 {
		t.Fatalf("%v after %d calls, want 5 answers and one lost call", err, o.calls.Load())
	}
	if spent, calls := c.Budget.Spent(); spent != 3 || calls != 6 {
		t.Errorf("spent $%v over %d calls, want 3 over 6", spent, calls)
	}
	m := r.Routes[0]
	if m.Calls != 5 || m.Sent == 0 || float64(m.Main().Value) != 0.8 {
		t.Errorf("%+v", m)
	}
	if _, err := run(10); err != nil || o.calls.Load() != 6 {
		t.Errorf("again: %v after %d calls", err, o.calls.Load())
	}
	kept, err := filepath.Glob(filepath.Join(c.Dir, "answers", "cloud-*", "*.json"))
	if err != nil || len(kept) != 5 {
		t.Fatalf("%d answers are kept, %v", len(kept), err)
	}
	if data, err := os.ReadFile(kept[0]); err != nil || !strings.Contains(string(data), `"said":`) {
		t.Errorf("the service's own answer is not kept: %s, %v", data, err)
	}
}

// TestCapKeepsCallsUnderWay: when the cap is reached by one of several calls, the others are
// waited for: they are paid.
func TestCapKeepsCallsUnderWay(t *testing.T) {
	t.Parallel()
	set := photos(t, "dog says Dog", "dog says Dog", "cat says Cat", "cat says Cat")
	price := Money(1)
	o := &oracle{fail: func(int64, string) error {
		time.Sleep(50 * time.Millisecond)
		return nil
	}}
	c := config(t, set, Route{Name: "cloud", Open: o.open, Remote: &Remote{PerCall: &price, Clients: 4}})
	for _, limit := range []Money{3, 4} {
		b, err := OpenBudget(c.Dir, limit, false)
		if err != nil {
			t.Fatal(err)
		}
		c.Budget = b
		_, err = Run(t.Context(), c)
		if limit == 3 && trilobite.CodeOf(err) != trilobite.LimitExceeded || limit == 4 && err != nil {
			t.Errorf("with $%v: %v", limit, err)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if n := o.calls.Load(); n != 4 {
		t.Errorf("%d calls for 4 images", n)
	}
}

// TestPlan: what is kept is not planned again.
func TestPlan(t *testing.T) {
	t.Parallel()
	set := photos(t, "dog says Dog", "cat says Cat", "cat says Cat")
	price := Money(0.25)
	o := &oracle{}
	c := config(t, set, Route{Name: "here", Open: o.open}, Route{Name: "cloud", Open: o.open, Remote: &Remote{Host: "h", PerCall: &price}})
	plan := func() Planned {
		p, err := Plan(t.Context(), c)
		if err != nil || len(p) != 1 {
			t.Fatalf("%v, %v", p, err)
		}
		return p[0]
	}
	if cost, known := plan().Cost(); cost != 0.75 || !known || o.calls.Load() != 0 {
		t.Errorf("$%v, %v after %d calls", cost, known, o.calls.Load())
	}
	var err error
	if c.Budget, err = OpenBudget(c.Dir, 1, false); err != nil {
		t.Fatal(err)
	}
	defer c.Budget.Close()
	if _, err := Run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if p := plan(); p.Kept != 3 || p.Bytes != 0 {
		t.Errorf("%+v", p)
	}
	unknown := Planned{Images: 3, Kept: 1}
	if _, known := unknown.Cost(); known {
		t.Error("an unknown price is known")
	}
}

// TestRefusedCalls: a call that is refused for a moment is tried again and not billed; an
// image that is refused is a failure, not an end.
func TestRefusedCalls(t *testing.T) {
	t.Parallel()
	set := photos(t, "dog says Dog", "cat says Cat")
	price := Money(1)
	o := &oracle{fail: func(call int64, image string) error {
		if strings.HasPrefix(image, "1:") {
			return &trilobite.Error{Code: trilobite.InvalidImage, Msg: "No picture."}
		}
		if call == 1 {
			return &trilobite.Error{Code: trilobite.Throttled, Msg: "Slow down."}
		}
		return nil
	}}
	c := config(t, set, Route{Name: "cloud", Open: o.open, Remote: &Remote{PerCall: &price, Retries: 2, Rate: 1000}})
	var err error
	if c.Budget, err = OpenBudget(c.Dir, 2, false); err != nil {
		t.Fatal(err)
	}
	defer c.Budget.Close()
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	m := r.Routes[0]
	if len(m.Failures) != 1 || !strings.HasSuffix(m.Failures[0], "1.jpg: No picture.") || float64(m.Main().Value) != 0.5 {
		t.Errorf("failures %v, accuracy %v", m.Failures, m.Main().Value)
	}
	if spent, calls := c.Budget.Spent(); spent != 1 || calls != 1 {
		t.Errorf("spent %v over %d calls", spent, calls)
	}
}

// TestThrottledForEver: a service that goes on refusing ends the run, unpaid, with what to do.
func TestThrottledForEver(t *testing.T) {
	t.Parallel()
	price := Money(1)
	o := &oracle{fail: func(int64, string) error { return &trilobite.Error{Code: trilobite.Throttled, Msg: "Slow down."} }}
	c := config(t, photos(t, "dog says Dog"), Route{Name: "cloud", Open: o.open, Remote: &Remote{PerCall: &price, Retries: 1}})
	var err error
	if c.Budget, err = OpenBudget(c.Dir, 2, false); err != nil {
		t.Fatal(err)
	}
	defer c.Budget.Close()
	if _, err := Run(t.Context(), c); trilobite.CodeOf(err) != trilobite.Throttled || !strings.Contains(trilobite.Message(err), "Slow down. So it answered 2 times, each later than the last. Ask more slowly (--rate") {
		t.Errorf("got %v", err)
	}
	if spent, _ := c.Budget.Spent(); spent != 0 {
		t.Errorf("spent %v for calls that were refused", spent)
	}
}

func TestUnpriced(t *testing.T) {
	t.Parallel()
	b, err := OpenBudget(t.TempDir(), 1, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.pay("r", "i", nil, time.Time{}); err == nil || !strings.Contains(err.Error(), "--prices") {
		t.Errorf("a call without a price: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if b, err = OpenBudget(t.TempDir(), 1, true); err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.pay("r", "i", nil, time.Time{}); err != nil {
		t.Errorf("with --allow-unpriced: %v", err)
	}
}

// TestTornSpending: a line that was being written when the power went is of no call; any other
// line that is none is an error that says where.
func TestTornSpending(t *testing.T) {
	t.Parallel()
	const line = `{"time":"2026-01-02T03:04:05Z","route":"cloud","image":"0.jpg","price":0.5}` + "\n"
	for name, tt := range map[string]struct {
		file  string
		spent Money
		err   string
	}{
		"cut off":                 {line + line + line[:40], 1, ""},
		"nothing but a beginning": {line[:40], 0, ""},
		"a call that was refused": {line + line[:len(line)-2] + `,"refused":true}` + "\n", 0, ""},
		"broken in the middle":    {line + line[:40] + "\n" + line, 0, "spending.jsonl:2:"},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "spending.jsonl")
		if err := os.WriteFile(path, []byte(tt.file), 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 { // what was mended stays mended
			b, err := OpenBudget(dir, 10, false)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("%s: %v, want %q", name, err, tt.err)
				}
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if spent, _ := b.Spent(); spent != tt.spent {
				t.Errorf("%s: spent $%v, want $%v", name, spent, tt.spent)
			}
			if err := b.pay("cloud", "1.jpg", new(Money), time.Time{}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "report")
	release, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(dir); trilobite.CodeOf(err) != trilobite.InUse {
		t.Errorf("a second run in the same folder: %v", err)
	}
	release()
	if release, err = Lock(dir); err != nil {
		t.Fatalf("after the first one's end: %v", err)
	}
	release()
}
