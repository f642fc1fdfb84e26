package report

import (
	_ "embed"
	"fmt"

	"github.com/goccy/go-yaml"

	"trilobite/compare"
	"trilobite/compare/cost"
)

//go:embed capabilities.yaml
var cited []byte

// Mark says how far a service can do something.
type Mark string

// The marks.
const (
	Yes    Mark = "yes"
	Partly Mark = "partly"
	No     Mark = "no"
)

// Cell is what a service can do of one capability, and by what we know.
type Cell struct {
	Mark   Mark   `yaml:"mark" json:"mark"`
	EN     string `yaml:"en" json:"en"`
	JA     string `yaml:"ja" json:"ja"`
	Source string `yaml:"source" json:"source"` // a cited line, or "measured in this run"
}

// In returns the cell's words in a language.
func (c Cell) In(l Lang) string { return Text{c.EN, c.JA}.In(l) }

// measuredHere is the source of cells that the run itself tells.
const measuredHere = "measured in this run"

// Capability is a row of the table.
type Capability struct {
	ID string `json:"id"`
	Text
	Cells []Cell `json:"cells"` // as Report.Columns
}

// rows are the capabilities in the order of the table.
func rows() []Capability {
	return []Capability{
		{ID: "tasks", Text: Text{"tasks", "できること"}},
		{ID: "own_labels", Text: Text{"labels of your own", "自分のラベル"}},
		{ID: "architecture", Text: Text{"choice of architecture", "ネットワークの選択"}},
		{ID: "preprocessing", Text: Text{"preprocessing on the server", "サーバー側の前処理"}},
		{ID: "offline", Text: Text{"works offline", "オフラインで動く"}},
		{ID: "fee", Text: Text{"no fee per call", "呼び出しごとの料金なし"}},
		{ID: "server", Text: Text{"somebody else runs the server", "サーバーは先方が運用"}},
		{ID: "updates", Text: Text{"somebody else updates libraries", "ライブラリの更新は先方"}},
		{ID: "training", Text: Text{"training needed", "学習の手間"}},
		{ID: "labelling", Text: Text{"labelling needed", "ラベル付けの手間"}},
		{ID: "expertise", Text: Text{"what you must know", "必要な知識"}},
	}
}

// capabilities fills the table in for the routes of a report.
func capabilities(r *compare.Result, c cost.Costs) ([]Capability, error) {
	var table map[string]map[string]Cell
	if err := yaml.UnmarshalWithOptions(cited, &table, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("capabilities.yaml: %w", err)
	}
	out := rows()
	for i := range out {
		for _, t := range c.Routes {
			var cell Cell
			m := find(r, t.Name)
			ok := false
			if m != nil && t.Measured {
				cell, ok = measured(out[i].ID, r, m)
			}
			if !ok && out[i].ID == "fee" {
				cell, ok = fee(t, c), true
			}
			if !ok {
				if cell, ok = table[t.Service][out[i].ID]; !ok {
					return nil, fmt.Errorf("capabilities.yaml: %s has no %s", t.Service, out[i].ID)
				}
			}
			out[i].Cells = append(out[i].Cells, cell)
		}
	}
	return out, nil
}

func find(r *compare.Result, name string) *compare.Measured {
	for i := range r.Routes {
		if r.Routes[i].Name == name {
			return &r.Routes[i]
		}
	}
	return nil
}

// measured are the cells that the run itself tells.
func measured(id string, r *compare.Result, m *compare.Measured) (Cell, bool) {
	switch id {
	case "own_labels":
		n := len(r.Dataset.Classes)
		k := n - len(m.Unmatched)
		mark := Partly
		switch k {
		case n:
			mark = Yes
		case 0:
			mark = No
		}
		return Cell{mark, fmt.Sprintf("knows %d of your %d", k, n), fmt.Sprintf("%dクラス中%dを認識", n, k), measuredHere}, true
	case "offline":
		if m.Local() {
			return Cell{Yes, "yes: nothing left this machine", "可：画像は外に出ない", measuredHere}, true
		}
		return Cell{No, fmt.Sprintf("no: %s went to %s", bytesOf(m.Sent), m.Host), fmt.Sprintf("不可：%sを%sへ送信", bytesOf(m.Sent), m.Host), measuredHere}, true
	case "training":
		if m.TrainImages == 0 && m.Kind == compare.Pretrained {
			return Cell{Yes, "none", "不要", measuredHere}, true
		}
		if m.TrainImages > 0 {
			return Cell{Partly, duration(m.Training, English) + " on this machine", "このマシンで" + duration(m.Training, Japanese), measuredHere}, true
		}
		return Cell{Partly, "done before this run", "事前に学習済み", measuredHere}, true
	case "labelling":
		if m.TrainImages == 0 && m.Kind == compare.Pretrained {
			return Cell{Yes, "none", "不要", measuredHere}, true
		}
		if m.TrainImages > 0 {
			return Cell{No, fmt.Sprintf("%d images", m.TrainImages), fmt.Sprintf("%d枚", m.TrainImages), measuredHere}, true
		}
		return Cell{Partly, "done before this run", "事前に実施済み", measuredHere}, true
	}
	return Cell{}, false
}

// fee says what each call, or each hour of waiting for one, is billed.
func fee(t cost.Table, c cost.Costs) Cell {
	for _, l := range t.Lines {
		for _, p := range c.Prices {
			if p.ID != l.Price || t.Local {
				continue
			}
			source := fmt.Sprintf("price book, %s (%s, %s: %s)", p.ID, p.State, p.Date, p.Source)
			usd, known := p.MostPerUnit()
			switch {
			case !known:
				return Cell{No, "a fee that nobody names", "料金は不明", source}
			case l.What == cost.Calls:
				return Cell{No, fmt.Sprintf("%s per 1,000 images", cost.Dollars(usd*1000)), fmt.Sprintf("1,000枚あたり%s", cost.Dollars(usd*1000)), source}
			case l.What == cost.Units || l.What == cost.Nodes:
				return Cell{Partly, fmt.Sprintf("%s per hour that it runs", perUnit(usd)), fmt.Sprintf("稼働1時間あたり%s", perUnit(usd)), source}
			}
		}
	}
	return Cell{Yes, "none: it is your machine", "なし：自分のマシン", `README.md: "no fee per call, nothing leaves the house"`}
}
