package main

import (
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
