package compare

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"trilobite"
)

// Budget caps what a run's calls may cost, over all the times that it was started: each
// call is written to spending.jsonl before it is made. A call whose outcome was never
// written, because the power went, counts as paid.
type Budget struct {
	Limit Money
	// Unpriced lets calls be made whose price nobody knows; the cap cannot count them.
	Unpriced bool

	mu    sync.Mutex
	file  *os.File
	spent Money
	calls int
}

// spending is a line of spending.jsonl.
type spending struct {
	Time  time.Time `json:"time"`
	Route string    `json:"route"`
	Image string    `json:"image"`
	Price *Money    `json:"price"` // null: unknown
	// Refused takes back a line before: the call was refused, and so not billed.
	Refused bool `json:"refused,omitempty"`
}

// OpenBudget reads what was spent in a run's folder and caps what will be.
func OpenBudget(dir string, limit Money, unpriced bool) (*Budget, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	b := &Budget{Limit: limit, Unpriced: unpriced}
	file, err := os.OpenFile(filepath.Join(dir, "spending.jsonl"), os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := b.read(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	b.file = file
	return b, nil
}

// read sums the file up. A last line without its end is cut off: the power went while it was
// written, and a call is made only after its line.
func (b *Budget) read(f *os.File) error {
	data, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	whole := bytes.LastIndexByte(data, '\n') + 1
	if whole < len(data) {
		if err := f.Truncate(int64(whole)); err != nil {
			return err
		}
	}
	n := 0
	for line := range bytes.Lines(data[:whole]) {
		n++
		var s spending
		if err := json.Unmarshal(line, &s); err != nil {
			return fmt.Errorf("%s:%d: %w: what was spent cannot be told; mend the line, or take it away if it is no call", f.Name(), n, err)
		}
		amount, calls := s.sum()
		b.spent, b.calls = b.spent+amount, b.calls+calls
	}
	return nil
}

// sum is what a line adds.
func (s spending) sum() (Money, int) {
	amount, n := Money(0), 1
	if s.Price != nil {
		amount = *s.Price
	}
	if s.Refused {
		return -amount, -n
	}
	return amount, n
}

// Spent returns what all calls have cost so far and how many were billed.
func (b *Budget) Spent() (Money, int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.spent, b.calls
}

// Close gives the file up.
func (b *Budget) Close() error { return b.file.Close() }

// pay records a call that is about to be made. It fails where the cap would be passed.
func (b *Budget) pay(route, image string, price *Money, now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case price == nil && !b.Unpriced:
		return &trilobite.Error{Op: "compare", Code: trilobite.Invalid, Msg: fmt.Sprintf("Nobody knows what a call of %s costs, so no cap can hold it. Put its price into a price book (--prices), or say --allow-unpriced.", route)}
	case price != nil && b.spent+*price > b.Limit+1e-9:
		return &trilobite.Error{Op: "compare", Code: trilobite.LimitExceeded, Msg: fmt.Sprintf("The cap of $%s is reached: $%.4f is spent and a call of %s costs $%.4f more. What was answered is kept; go on with a higher --max-spend.",
			strconv.FormatFloat(float64(b.Limit), 'f', -1, 64), b.spent, route, *price)}
	}
	return b.write(spending{Time: now, Route: route, Image: image, Price: price})
}

// refund takes back a call that was refused before it was billed.
func (b *Budget) refund(route, image string, price *Money, now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.write(spending{Time: now, Route: route, Image: image, Price: price, Refused: true})
}

func (b *Budget) write(s spending) error {
	line, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if _, err := b.file.Write(append(line, '\n')); err != nil {
		return err
	}
	if err := b.file.Sync(); err != nil {
		return err
	}
	amount, n := s.sum()
	b.spent, b.calls = b.spent+amount, b.calls+n
	return nil
}
