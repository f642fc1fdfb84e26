package serving

import (
	"reflect"

	"trilobite"
	"trilobite/pipeline"
	"trilobite/zoo"
)

// Fresh returns m with the pipeline that is in use now, which may have been changed since m
// was loaded: by `trilobite models pipeline`, in another process. What is in memory stays
// there and serves both. m is of the registry's own store, and its user's until then.
func (r *Registry) Fresh(m *Model) (*Model, error) {
	if m.RevisionsChanged().Equal(m.Changed) {
		return m, nil
	}
	card, err := r.c.Store.Get(m.Ref())
	if trilobite.CodeOf(err) == trilobite.NotFound {
		return m, nil // its files are gone; what is in memory answers on
	} else if err != nil {
		return nil, err
	}
	return m.revised(card, r.c)
}

// revised returns m as another revision of its card, on the same session.
func (m *Model) revised(card zoo.Model, c Config) (*Model, error) {
	var err error
	now := &Model{Model: card, Words: m.Words, session: m.session, out: m.out}
	if now.transform, err = pipeline.Compile(card.Pipeline); err != nil {
		return nil, err
	}
	return now, now.read(c.Recorder)
}

// onlyRevised reports whether b is a with another pipeline.
func onlyRevised(a, b zoo.Model) bool {
	a.Pipeline = b.Pipeline
	return reflect.DeepEqual(a.Card, b.Card)
}
