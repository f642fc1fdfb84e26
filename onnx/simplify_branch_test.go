package onnx

import (
	"testing"

	"trilobite/tensor"
)

func TestTakeBranches(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		known bool
		want  []string
	}{
		"the branch that is taken, in its place": {true, []string{"Abs", "Abs", "Neg"}},
		"a condition that nobody knows":          {false, []string{"Abs", "If", "Neg"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := NewBuilder("g")
			x := b.Input("x", tensor.Float32, Shape{2, 3})
			cond := b.Const("one", tensor.Scalar(false))
			if !c.known {
				cond = b.Input("cond", tensor.Bool, Shape{})
			}
			yes, no := b.Body("yes"), b.Body("no")
			yes.Output("y", yes.Exp(x))
			no.Output("n", no.Abs(x))
			then, _ := yes.Graph()
			other, _ := no.Graph()
			abs := b.Abs(x) // the branch computes it too, under another name
			y := b.Op("If", []*Value{cond}, map[string]any{"then_branch": then, "else_branch": other}, 1)[0]
			b.Output("out", b.Neg(y))
			b.Output("abs", abs)
			g, err := b.Graph()
			if err != nil {
				t.Fatal(err)
			}
			if err := Tidy(g); err != nil {
				t.Fatal(err)
			}
			if err := Check(g); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, n := range g.Nodes {
				if n.Op != "Identity" { // an output's name
					got = append(got, n.Op)
				}
			}
			if len(got) != len(c.want) {
				t.Fatalf("operators %v, want %v", got, c.want)
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Fatalf("operators %v, want %v", got, c.want)
				}
			}
		})
	}
}
