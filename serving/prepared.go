package serving

import (
	"context"
	"fmt"

	"trilobite"
	"trilobite/zoo"
)

// Prepared is a model with the pipelines it has had.
type Prepared struct {
	zoo.Model

	Revisions zoo.Revisions
	Text      []byte // of the pipeline file asked for; nil for revision 0, the card's own
}

// Pipeline returns how images are prepared for a model: a name alone is the version that
// answers for it. Text is that of a revision, InUse: of the one in use.
func (r *Registry) Pipeline(ref string, revision int) (Prepared, error) {
	card, err := r.served(ref)
	if err != nil {
		return Prepared{}, err
	}
	return prepared(card, revision)
}

// InUse is the revision that a model's images are prepared by.
const InUse = -1

// SetPipeline makes a pipeline file a model's next revision, which the next request is
// prepared by. source is its name. A file that cannot be is Invalid and changes nothing.
func (r *Registry) SetPipeline(_ context.Context, ref, source string, text []byte) (Prepared, error) {
	card, err := r.served(ref)
	if err == nil {
		card, err = r.c.Store.SetPipeline(card.Ref(), source, text)
	}
	if err != nil {
		return Prepared{}, err
	}
	return prepared(card, InUse)
}

// RollBack puts the revision into use that was before the one in use; Invalid, where none was.
func (r *Registry) RollBack(_ context.Context, ref string) (Prepared, error) {
	card, err := r.served(ref)
	if err == nil {
		card, err = r.c.Store.RollBack(card.Ref())
	}
	if err != nil {
		return Prepared{}, err
	}
	return prepared(card, InUse)
}

// served returns the model of a reference; a name alone is its newest version in service, or
// its newest one where none is.
func (r *Registry) served(ref string) (zoo.Model, error) {
	card, err := r.resolve(ref)
	if trilobite.CodeOf(err) == trilobite.NotReady {
		return r.c.Store.Get(ref)
	}
	return card, err
}

func prepared(card zoo.Model, revision int) (Prepared, error) {
	p := Prepared{Model: card}
	var err error
	if p.Revisions, err = card.Revisions(); err != nil {
		return p, err
	}
	if revision == InUse {
		revision = card.Revision
	}
	if revision == 0 {
		return p, nil
	}
	for _, rev := range p.Revisions.All {
		if rev.N == revision {
			p.Text, err = card.ReadRevision(revision)
			return p, err
		}
	}
	return p, &trilobite.Error{
		Op: "serving.Pipeline", Code: trilobite.NotFound, Msg: fmt.Sprintf("Model %s has no revision %d of its pipeline.", card.Ref(), revision),
	}
}
