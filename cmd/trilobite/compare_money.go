package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"trilobite/compare/cost"
	"trilobite/price"
)

// compareMoney are the flags of the money side.
type compareMoney struct {
	prices, assumptions string // files
	said                cost.Assumptions
	machine, labour     float64
	labelling, operate  float64
}

func (m *compareMoney) addFlags(fl *pflag.FlagSet) {
	m.said = cost.Defaults()
	fl.StringVar(&m.prices, "prices", "", "price book `file` laid over the one that ships")
	fl.StringVar(&m.assumptions, "assumptions", "", "YAML `file` with what your own costs are; flags win over it")
	fl.Float64Var(&m.said.Volume, "volume", m.said.Volume, "`images` a month")
	fl.Float64Var(&m.machine, "machine-price", 0, "`dollars` that an hour of a machine like this one costs")
	fl.Float64Var(&m.labour, "labour-price", 0, "`dollars` that an hour of a person costs")
	fl.Float64Var(&m.labelling, "labelling-seconds", 0, "`seconds` it takes to label an image")
	fl.Float64Var(&m.operate, "operation-hours", 0, "`hours` of a person a month to operate a server of your own")
	fl.StringVar(&m.said.Region, "price-region", "", "`region` of prices, where the book has it")
	fl.BoolVar(&m.said.NewAccount, "new-account", false, "count free tiers that only a new account has")
}

// read returns the price book and the assumptions: defaults, the file, the flags.
func (m *compareMoney) read(changed func(flag string) bool) (price.Book, cost.Assumptions, error) {
	book, err := price.Load(m.prices)
	if err != nil {
		return book, cost.Assumptions{}, err
	}
	a := cost.Defaults()
	if m.assumptions != "" {
		if err := a.Read(m.assumptions); err != nil {
			return book, a, err
		}
	}
	if changed("volume") {
		a.Volume = m.said.Volume
	}
	if changed("price-region") {
		a.Region = m.said.Region
	}
	if changed("new-account") {
		a.NewAccount = m.said.NewAccount
	}
	for flag, to := range map[string]struct {
		from *float64
		to   **float64
	}{
		"machine-price": {&m.machine, &a.Machine}, "labour-price": {&m.labour, &a.Labour},
		"labelling-seconds": {&m.labelling, &a.Labelling}, "operation-hours": {&m.operate, &a.Operation},
	} {
		if changed(flag) {
			*to.to = to.from
		}
	}
	if p, ok := book.Find("machine", a.Region); ok && a.Machine == nil {
		if usd, known := p.MostPerUnit(); known {
			a.Machine = &usd
		}
	}
	return book, a, a.Check()
}

// printCosts writes a table of the monthly costs, and the break-even points.
func printCosts(w io.Writer, c cost.Costs) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "\nDOLLARS A MONTH FOR")
	for _, v := range c.Volumes {
		fmt.Fprintf(t, "\t%s", thousands(v))
	}
	fmt.Fprintln(t, " images\tWITHOUT")
	for _, r := range c.Routes {
		fmt.Fprint(t, r.Name)
		if !r.Measured {
			fmt.Fprint(t, " (price only)")
		}
		for _, s := range r.Volumes {
			fmt.Fprintf(t, "\t%s", dollars(s))
		}
		var without []string
		for _, l := range r.Lines {
			if l.Needs != "" {
				without = append(without, fmt.Sprintf("%s (%s is unknown)", l.What, l.Needs))
			}
		}
		fmt.Fprintf(t, "\t%s\n", strings.Join(without, ", "))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	local := map[string]bool{}
	for _, r := range c.Routes {
		local[r.Name] = r.Local
	}
	for _, e := range c.Even {
		if local[e.Cheaper] != local[e.Than] { // vendors among themselves: in the report
			fmt.Fprintf(w, "from %s images a month %s is cheaper than %s%s\n", thousands(e.Images), e.Cheaper, e.Than, leftOut(e.Without))
		}
	}
	for i, m := range c.Machines {
		if i == 0 || c.Machines[i-1].Own != m.Own {
			fmt.Fprintf(w, "at %s images a month %s is cheaper where a machine costs less than\n", thousands(c.Assumptions.Volume), m.Own)
		}
		fmt.Fprintf(w, "  $%.3f an hour, than %s%s\n", m.USD, m.Vendor, leftOut(m.Without))
	}
	return nil
}

func leftOut(without []cost.What) string {
	if len(without) == 0 {
		return ""
	}
	names := make([]string, len(without))
	for i, w := range without {
		names[i] = string(w)
	}
	return " (left out: " + strings.Join(names, ", ") + ")"
}

func dollars(s cost.Sum) string {
	switch {
	case s.Empty():
		return "unknown"
	case s.AtMost:
		return fmt.Sprintf("≤ %.2f", s.USD)
	default:
		return fmt.Sprintf("%.2f", s.USD)
	}
}

// thousands writes a whole number with commas.
func thousands(v float64) string {
	digits := []byte(fmt.Sprintf("%.0f", v))
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = slices.Insert(digits, i, ',')
	}
	return string(digits)
}
