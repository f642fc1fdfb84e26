package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"trilobite/compare"
	"trilobite/compare/advise"
	"trilobite/compare/cost"
)

// showRoute moves the bar, or writes a line for what is done once.
func showRoute(show progress, p compare.Progress) {
	if p.All > 0 {
		show.set(p.Route, int64(p.Done), int64(p.All), "")
	}
	if p.All == 0 || p.Done == p.All {
		show.line(fmt.Sprintf("%s: %s", p.Route, strings.TrimSpace(p.What+" "+counted(p.Done))))
	}
}

func counted(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("about %d images", n)
}

// printComparison writes the main figures.
func printComparison(w io.Writer, r *compare.Result) error {
	fmt.Fprintf(w, "%d images of %s, %s; %d to learn from\n", r.Dataset.Test, r.Dataset.Path, r.Dataset.Part, r.Dataset.Train)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ROUTE\tFIGURE\tVALUE\t95 %\tKNOWN\tP50\tP95\tIMAGES/S\tTRAINED\tMEMORY\tSENT")
	for _, m := range r.Routes {
		if m.Missing != "" {
			continue
		}
		f := m.Main()
		known := "all"
		if len(m.Unmatched) > 0 {
			known = fmt.Sprintf("%d of %d", len(r.Dataset.Classes)-len(m.Unmatched), len(r.Dataset.Classes))
			if len(m.Known) > 0 {
				known += fmt.Sprintf(" (%.3f)", float64(m.Known[0].Value))
			}
		}
		training := "–"
		if m.TrainImages > 0 {
			training = fmt.Sprintf("%d in %s", m.TrainImages, seconds(m.Training))
		}
		between := "–"
		if f.Interval != nil {
			between = fmt.Sprintf("%.3f–%.3f", f.Interval.Low, f.Interval.High)
		}
		memory, sent := "–", "nothing"
		if m.PeakMemory > 0 {
			memory = fmt.Sprintf("%.0f MB", float64(m.PeakMemory)/(1<<20))
		}
		if !m.Local() {
			sent = fmt.Sprintf("%.1f MB", float64(m.Sent)/(1<<20))
		}
		fmt.Fprintf(t, "%s\t%s\t%.3f\t%s\t%s\t%s\t%s\t%.1f\t%s\t%s\t%s\n", m.Name, f.Name, float64(f.Value), between, known,
			seconds(m.Latency.P50), seconds(m.Latency.P95), m.Throughput, training, memory, sent)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, x := range r.Tests {
		fmt.Fprintf(w, "%s − %s: %+.3f %s, 95 %% %+.3f to %+.3f, %s (%s)\n", x.A, x.B, x.Difference, x.Figure, x.Interval.Low, x.Interval.High, compare.PValue(x.P), x.Method)
	}
	for _, m := range r.Routes {
		if m.Missing != "" {
			fmt.Fprintf(w, "%s\t%s\n", m.Name, m.Missing)
		}
		if len(m.Unmatched) > 0 {
			verb := "has no word for"
			if !m.Local() { // a vendor's vocabulary nobody knows
				verb = "never said"
			}
			fmt.Fprintf(w, "%s %s\t%s\n", m.Name, verb, strings.Join(m.Unmatched, ", "))
			if m.Missing == "" && len(m.Unmatched) == len(r.Dataset.Classes) {
				fmt.Fprintf(w, "  none of its labels means a class: say in a file which do (--mapping); report.md lists all that it said\n")
			}
		}
		if n := len(m.Failures); n > 0 {
			fmt.Fprintf(w, "%s gave no answer for\t%d images, which count as wrong; report.md says why\n", m.Name, n)
		}
		for _, p := range m.Curve {
			fmt.Fprintf(w, "%s from %d images (%.0f %%)\t%.3f\n", m.Name, p.Images, 100*p.Share, float64(p.Main.Value))
		}
	}
	return nil
}

// seconds writes a time for people.
func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	if d < time.Second {
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

// printCosts writes a table of the monthly costs, and the break-even points.
func printCosts(w io.Writer, c cost.Costs) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "\nCOST A MONTH FOR")
	for _, v := range c.Volumes {
		fmt.Fprintf(t, "\t%s", cost.Thousands(v))
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
			fmt.Fprintf(w, "from %s images a month %s is cheaper than %s%s\n", cost.Thousands(e.Images), e.Cheaper, e.Than, leftOut(e.Without))
		}
	}
	for i, m := range c.Machines {
		if i == 0 || c.Machines[i-1].Own != m.Own {
			fmt.Fprintf(w, "at %s images a month %s is cheaper where a machine costs less than\n", cost.Thousands(c.Assumptions.Volume), m.Own)
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

// dollars writes what a month costs.
func dollars(s cost.Sum) string {
	switch {
	case s.Empty():
		return "unknown"
	case s.AtMost:
		return "≤ " + cost.Dollars(s.USD)
	default:
		return cost.Dollars(s.USD)
	}
}

// printAdvice writes the ranking with its reasons.
func printAdvice(w io.Writer, ranked []advise.Advice) {
	if len(ranked) > 0 && advise.NoneFits(ranked) {
		fmt.Fprintln(w, "\nno route meets all that is required; the nearest comes first")
	}
	for i, a := range ranked {
		verdict := ""
		if a.Out {
			verdict = "\truled out"
		}
		fmt.Fprintf(w, "\n%d. %s%s\n", i+1, a.Route, verdict)
		for _, f := range a.Findings {
			fmt.Fprintf(w, "   %s\t%s\n", f.Effect, f.EN)
			if f.ChangeEN != "" {
				fmt.Fprintf(w, "   \twould change it: %s\n", f.ChangeEN)
			}
		}
	}
}
