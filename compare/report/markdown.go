package report

import (
	"fmt"
	"strings"

	"trilobite/compare"
	"trilobite/compare/advise"
	"trilobite/compare/cost"
	"trilobite/price"
)

// Markdown returns the report for a wiki or an issue, in English.
func (r *Report) Markdown() string {
	var b strings.Builder
	d := r.Result.Dataset
	fmt.Fprintf(&b, "# Comparison on %s\n\n%d images (%s), %d classes, %d images to learn from. Trilobite %s, %s.\n\n![figure](figure.svg)\n\n",
		cell(base(d.Path)), d.Test, d.Part, len(d.Classes), d.Train, r.Result.Version, r.Result.Ended.Format("2006-01-02"))
	b.WriteString("| route | figure | value | 95 % | on known classes | no word for | p50 | p95 | images/s | labelled | training | memory | sent |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, m := range r.Result.Routes {
		if m.Missing != "" {
			fmt.Fprintf(&b, "| %s | – | %s | | | | | | | | | | |\n", cell(m.Name), cell(m.Missing))
			continue
		}
		f := m.Main()
		known := "–"
		if len(m.Known) > 0 {
			known = number(m.Known[0].Value)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s | %.1f | %d | %s | %s | %s |\n", cell(m.Name), f.Name, number(f.Value), between(f), known,
			cell(strings.Join(m.Unmatched, ", ")), duration(m.Latency.P50, English), duration(m.Latency.P95, English), m.Throughput, m.TrainImages,
			duration(m.Training, English), bytesOf(m.PeakMemory), bytesOf(m.Sent))
	}
	if len(r.Result.Tests) > 0 {
		b.WriteString("\n| A − B | figure | difference | 95 % | p | test |\n|---|---|---|---|---|---|\n")
		for _, t := range r.Result.Tests {
			fmt.Fprintf(&b, "| %s − %s | %s | %s | %s to %s | %s | %s |\n", cell(t.A), cell(t.B), t.Figure, signed(t.Difference), signed(t.Interval.Low), signed(t.Interval.High), pValue(t.P), t.Method)
		}
	}
	fmt.Fprintf(&b, "\n%s\n\n%s\n", r.learnedBy().EN, r.measuredOn().EN)
	r.markdownLabels(&b)
	r.markdownCurves(&b)
	r.markdownAdvice(&b)
	r.markdownCosts(&b)
	b.WriteString("\n## Capabilities\n\n| |")
	for _, t := range r.Costs.Routes {
		fmt.Fprintf(&b, " %s |", cell(t.Name))
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(r.Costs.Routes)) + "\n")
	for _, row := range r.Table {
		fmt.Fprintf(&b, "| %s |", row.EN)
		for _, c := range row.Cells {
			fmt.Fprintf(&b, " %s [%d] |", cell(c.EN), r.SourceNumber(c))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	for i, s := range r.sources() {
		fmt.Fprintf(&b, "%d. %s\n", i+1, s)
	}
	return b.String()
}

// markdownLabels lists what became of every route's labels, and the images that got no answer.
func (r *Report) markdownLabels(b *strings.Builder) {
	b.WriteString("\n## Labels\n")
	for _, m := range r.Result.Routes {
		if m.Missing != "" {
			continue
		}
		var taken, strange []string
		for _, x := range m.Matches {
			if x.Said > 0 {
				taken = append(taken, fmt.Sprintf("%s = %s (%s, %d ×)", x.Label, x.Class, x.How, x.Said))
			}
		}
		for _, x := range m.Strangers {
			strange = append(strange, fmt.Sprintf("%s %d ×", x.Label, x.Said))
		}
		fmt.Fprintf(b, "\n- **%s**\n", cell(m.Name))
		for _, l := range []struct {
			what string
			list []string
		}{
			{"taken for a class", taken}, {"classes without a label", m.Unmatched}, {"labels of no class", strange}, {"images without an answer", m.Failures},
		} {
			if len(l.list) > 0 {
				fmt.Fprintf(b, "  - %s: %s\n", l.what, cell(strings.Join(l.list, "; ")))
			}
		}
	}
}

func (r *Report) markdownCurves(b *strings.Builder) {
	for _, m := range r.Result.Routes {
		if len(m.Curve) == 0 {
			continue
		}
		fmt.Fprintf(b, "\n## Learning curve of %s\n\n| labelled images | %% | %s | 95 %% | training |\n|---|---|---|---|---|\n", cell(m.Name), m.Main().Name)
		for _, p := range m.Curve {
			fmt.Fprintf(b, "| %d | %.0f | %s | %s | %s |\n", p.Images, 100*p.Share, number(p.Main.Value), between(p.Main), duration(p.Seconds, English))
		}
	}
}

func (r *Report) markdownAdvice(b *strings.Builder) {
	if len(r.Advice) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## Advice\n\nBy what was required: %s.\n\n", cell(strings.Join(r.needs(), ", ")))
	if advise.NoneFits(r.Advice) {
		b.WriteString("No route meets all of it; the nearest comes first.\n\n")
	}
	for i, a := range r.Advice {
		out := ""
		if a.Out {
			out = " (ruled out)"
		}
		fmt.Fprintf(b, "%d. **%s**%s\n", i+1, cell(a.Route), out)
		for _, f := range a.Findings {
			change := ""
			if f.ChangeEN != "" {
				change = " Would change it: " + f.ChangeEN + "."
			}
			fmt.Fprintf(b, "   - %s: %s%s\n", f.Effect, cell(f.EN), cell(change))
		}
	}
}

func (r *Report) markdownCosts(b *strings.Builder) {
	b.WriteString("\n## Dollars a month\n\n| route |")
	for _, v := range r.Costs.Volumes {
		fmt.Fprintf(b, " %s images |", cost.Thousands(v))
	}
	b.WriteString(" without |\n|---|" + strings.Repeat("---|", len(r.Costs.Volumes)+1) + "\n")
	for _, t := range r.Costs.Routes {
		name := t.Name
		if !t.Measured {
			name += " (price only)"
		}
		fmt.Fprintf(b, "| %s |", cell(name))
		for _, s := range t.Volumes {
			fmt.Fprintf(b, " %s |", sum(s, English))
		}
		fmt.Fprintf(b, " %s |\n", whatNames(t.At.Without, English))
	}
	for _, e := range r.Costs.Even {
		fmt.Fprintf(b, "\n- from %s images a month %s is cheaper than %s%s", cost.Thousands(e.Images), e.Cheaper, e.Than, leftOut(e.Without))
	}
	for _, m := range r.Costs.Machines {
		fmt.Fprintf(b, "\n- at %s images a month %s is cheaper than %s where a machine costs less than $%.3f an hour%s",
			cost.Thousands(r.Costs.Assumptions.Volume), m.Own, m.Vendor, m.USD, leftOut(m.Without))
	}
	b.WriteString("\n\n| price | dollars | of | source | date | state |\n|---|---|---|---|---|---|\n")
	for _, p := range r.Costs.Prices {
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", p.ID, tiers(p), p.Unit, cell(p.Source), p.Date, p.State)
	}
}

// tiers lists a price's tiers, each with the last unit that it holds for.
func tiers(p price.Price) string {
	if p.State == price.Unknown {
		return "unknown"
	}
	var out []string
	for _, t := range p.Tiers {
		text := perUnit(t.Price)
		if t.UpTo > 0 {
			text += " to " + cost.Thousands(t.UpTo)
		}
		out = append(out, text)
	}
	return strings.Join(out, ", then ")
}

// leftOut names what is unknown and so not in a comparison of costs.
func leftOut(without []cost.What) string {
	if len(without) == 0 {
		return ""
	}
	return " (left out: " + whatNames(without, English) + ")"
}

// cell keeps a text inside its cell of a table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ", "<", "&lt;", "`", "'").Replace(s)
}

func between(f compare.Figure) string {
	if f.Interval == nil {
		return "–"
	}
	return fmt.Sprintf("%.3f – %.3f", f.Interval.Low, f.Interval.High)
}
