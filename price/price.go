// Package price is the price book: what vendors ask for calls, hours and training, each
// figure with its source and date, and the arithmetic of tiers and free tiers.
//
// prices.yaml is the book that ships; Load lays a file of the user's over it. A price that
// nobody knows is in the book as unknown, so that sums can name what they leave out. Start
// at Book.Find and Price.Month. Amounts are US dollars.
package price

import (
	_ "embed"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"

	"github.com/goccy/go-yaml"
)

//go:embed prices.yaml
var shipped []byte

// The states of a price: how sure it is.
const (
	Stated      = "stated"
	Copied      = "copied"
	Unconfirmed = "unconfirmed"
	Yours       = "yours" // from the user's own book
	Unknown     = "unknown"
)

// Price is an entry of the book.
type Price struct {
	ID     string `yaml:"id" json:"id"`
	Title  string `yaml:"title" json:"title"`
	Unit   string `yaml:"unit" json:"unit"` // image or hour
	Region string `yaml:"region" json:"region,omitempty"`
	Tiers  []Tier `yaml:"tiers" json:"tiers,omitempty"`
	Free   Free   `yaml:"free" json:"free,omitzero"`
	State  string `yaml:"state" json:"state"`
	Source string `yaml:"source" json:"source"`
	Date   string `yaml:"date" json:"date"` // of the price, or "undated"
	Read   string `yaml:"read" json:"read,omitempty"`
	Note   string `yaml:"note" json:"note,omitempty"`
}

// Tier is a price up to a number of units in a month.
type Tier struct {
	UpTo  float64 `yaml:"upto" json:"upto,omitempty"` // the last unit at this price; 0: no end
	Price float64 `yaml:"price" json:"price"`         // of a unit
	// Open says that cheaper tiers follow somewhere: from the tier's beginning on the price
	// is an upper bound.
	Open bool `yaml:"open" json:"open,omitempty"`
}

// Free is what a new account has free.
type Free struct {
	Units  float64 `yaml:"units" json:"units"` // a month
	Months int     `yaml:"months" json:"months"`
}

// Book is a list of prices, one for each id and region.
type Book struct {
	Prices []Price `yaml:"prices" json:"prices"`
}

// Amount is a sum of money and how far it can be trusted.
type Amount struct {
	USD     float64 `json:"usd"`
	Known   bool    `json:"known"`
	AtMost  bool    `json:"at_most,omitempty"` // the real sum is this or less
	Billed  float64 `json:"billed"`            // units that were charged for
	PerUnit float64 `json:"-"`                 // of the last unit
}

// maxBook bounds a book in bytes.
const maxBook = 4 << 20

// Load returns the book that ships with the entries of a file laid over it; path may be
// empty. Errors name the file and the entry.
func Load(path string) (Book, error) {
	book, err := parse(shipped)
	if err != nil {
		return book, fmt.Errorf("prices.yaml: %w", err)
	}
	if path == "" {
		return book, nil
	}
	if at, err := os.Stat(path); err != nil {
		return book, err
	} else if at.Size() > maxBook {
		return book, fmt.Errorf("%s is larger than %d MiB: it is no price book", path, maxBook>>20)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return book, err
	}
	own, err := parse(data)
	if err != nil {
		return book, fmt.Errorf("price book %s: %w", path, err)
	}
	for _, p := range own.Prices {
		at := slices.IndexFunc(book.Prices, func(q Price) bool { return q.ID == p.ID && q.Region == p.Region })
		if at < 0 {
			book.Prices = append(book.Prices, p)
		} else {
			book.Prices[at] = p
		}
	}
	return book, nil
}

func parse(data []byte) (Book, error) {
	var b Book
	if err := yaml.UnmarshalWithOptions(data, &b, yaml.Strict()); err != nil {
		return b, err
	}
	for i := range b.Prices {
		p := &b.Prices[i]
		if p.State == "" {
			p.State = Yours
		}
		if err := p.check(); err != nil {
			return b, fmt.Errorf("price %d, %q: %w", i+1, p.ID, err)
		}
	}
	return b, nil
}

// check says what is wrong with an entry.
func (p Price) check() error {
	states := []string{Stated, Copied, Unconfirmed, Yours, Unknown}
	switch {
	case p.ID == "":
		return errors.New("it has no id")
	case !slices.Contains([]string{"image", "hour"}, p.Unit):
		return fmt.Errorf("its unit is %q; it is image or hour", p.Unit)
	case !slices.Contains(states, p.State):
		return fmt.Errorf("its state is %q, none of %v", p.State, states)
	case p.Source == "" || p.Date == "":
		return errors.New("a price needs its source and its date")
	case p.State == Unknown && len(p.Tiers) > 0:
		return errors.New("it is unknown, and has tiers")
	case p.State != Unknown && len(p.Tiers) == 0:
		return errors.New("it has no tiers; say state: unknown where nobody knows")
	case !(p.Free.Units >= 0) || p.Free.Months < 0:
		return errors.New("what is free is below 0")
	}
	last := 0.0
	for i, t := range p.Tiers {
		end := t.UpTo
		if end == 0 {
			end = math.Inf(1)
		}
		if !(t.Price >= 0) || math.IsInf(t.Price, 0) {
			return fmt.Errorf("tier %d has the price %v", i+1, t.Price)
		}
		if !(end > last) || i == len(p.Tiers)-1 != math.IsInf(end, 1) {
			return fmt.Errorf("tier %d ends at %v; tiers rise, and only the last one has no end", i+1, t.UpTo)
		}
		last = end
	}
	return nil
}

// Find returns the price of an id in a region. Where the book has none of the region, a
// price whose source names no region stands for it; there may be none at all.
func (b Book) Find(id, region string) (Price, bool) {
	for _, want := range []string{region, ""} {
		if i := slices.IndexFunc(b.Prices, func(p Price) bool { return p.ID == id && p.Region == want }); i >= 0 {
			return b.Prices[i], true
		}
	}
	return Price{ID: id, State: Unknown, Unit: "image"}, false
}

// Month returns what units cost in a month. first is whether the account is so new that
// it has units free.
func (p Price) Month(units float64, first bool) Amount {
	if p.State == Unknown {
		return Amount{}
	}
	a := Amount{Known: true}
	if first {
		units = max(0, units-p.Free.Units)
	}
	from := 0.0
	for _, t := range p.Tiers {
		end := t.UpTo
		if end == 0 {
			end = math.Inf(1)
		}
		if n := min(units, end) - from; n > 0 {
			a.USD += n * t.Price
			a.PerUnit = t.Price
			a.AtMost = a.AtMost || t.Open
			if t.Price > 0 {
				a.Billed += n
			}
		}
		from = end
	}
	return a
}

// MostPerUnit returns the price of a unit where nothing is free and nothing rebated: the most
// that a call may cost. False where it is unknown.
func (p Price) MostPerUnit() (float64, bool) {
	most := 0.0
	for _, t := range p.Tiers {
		most = max(most, t.Price)
	}
	return most, p.State != Unknown
}
