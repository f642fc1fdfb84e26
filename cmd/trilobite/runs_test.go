package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"trilobite/metric"
	"trilobite/runs"
)

// trained records a finished run.
func trained(t *testing.T, home, name, recipe string, value float64) {
	t.Helper()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f, err := runs.NewStore(home).Create(runs.Run{Name: name, Task: "classify", Started: at, Epochs: 5, Seed: 1, Recipe: json.RawMessage(recipe), Dataset: runs.Dataset{Path: "photos", Train: 10, Validation: 3}})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Update(func(r *runs.Run) {
		r.Epoch, r.Best, r.Model = 5, &runs.Best{Metric: "accuracy", Value: value, Epoch: 4, Step: 40}, name+"@1"
	}); err != nil {
		t.Fatal(err)
	}
	c := metric.NewConfusion(2)
	c.Add(0, 0)
	c.Add(1, 0)
	if err := f.SaveEvaluation(runs.FromConfusion([]string{"ant", "bee"}, c, false)); err != nil {
		t.Fatal(err)
	}
	if err := f.Finish(runs.Done, nil); err != nil {
		t.Fatal(err)
	}
}

func TestRunsCommands(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	trained(t, home, "insects", `{"lr":0.01,"stages":[{"epochs":5}],"batch":8}`, 0.95)
	trained(t, home, "flies", `{"lr":0.02,"stages":[{"epochs":7}],"batch":8}`, 0.9)
	tests := []struct {
		args []string
		want []string
		not  string
	}{
		{[]string{"list"}, []string{"insects-20260301-120000", "accuracy 0.950", "5/5", "done", "flies@1"}, "interrupted"},
		{[]string{"show", "insects"}, []string{"accuracy 0.950 after step 40", "report.html", "PRECISION", "ant"}, "error"},
		{[]string{"compare", "insects", "flies"}, []string{"recipe.lr", "0.02", "recipe.stages[0].epochs", "result accuracy"}, "recipe.batch"},
		{[]string{"list", "--json"}, []string{`"id":"flies-20260301-120000"`, `"value":0.95`}, "RUN"},
		{[]string{"show", "insects", "--json"}, []string{`"evaluation":{`, `"report":"`}, "CLASS"},
		{[]string{"compare", "insects", "flies", "--json"}, []string{`"recipe.batch":"8"`}, "\n\n"},
	}
	for _, tt := range tests {
		out, _, err := command(t, append([]string{"--home", home, "runs"}, tt.args...)...)
		if err != nil {
			t.Errorf("%v: %v", tt.args, err)
		}
		for _, want := range tt.want {
			if !strings.Contains(out, want) {
				t.Errorf("%v does not say %q:\n%s", tt.args, want, out)
			}
		}
		if strings.Contains(out, tt.not) {
			t.Errorf("%v says %q:\n%s", tt.args, tt.not, out)
		}
	}
	if _, _, err := command(t, "--home", home, "runs", "show", "birds"); err == nil || !strings.Contains(err.Error(), "runs list") {
		t.Errorf("unknown run: %v", err)
	}
}
