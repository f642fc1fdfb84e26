package serving

import (
	"context"
	"fmt"
	"reflect"

	"trilobite"
	"trilobite/zoo"
)

// entry is a model from its load to its end. The registry's mutex guards what changes, card
// and model among it once ready is closed; err is set before that.
type entry struct {
	form  form
	light bool   // what is loaded is not the file's graph
	graph *light // that graph, where it was there before the load; taken by that
	card  zoo.Model
	bytes int64
	ready chan struct{} // closed when the load has ended
	gone  chan struct{} // closed when the memory is free
	model *Model
	err   error

	loaded  bool  // the load has ended, and well
	users   int   // requests and pins that need it
	pins    int   // those among them that never let go
	last    int64 // tick of the last use
	leaving bool  // no longer among the entries: the last user frees it
}

// take returns the entry of a model, in memory, for one more user.
func (r *Registry) take(ctx context.Context, card zoo.Model, whole, pin bool) (*entry, error) {
	e, err := r.enter(ctx, card, whole, pin)
	if err != nil {
		return nil, err
	}
	select {
	case <-e.ready:
	case <-ctx.Done():
		r.release(e, pin)
		return nil, canceled(ctx, card)
	}
	if e.err != nil {
		r.release(e, pin)
		return nil, e.err
	}
	return e, nil
}

// enter returns the entry of a model for one more user: the one there is, or a new one
// whose load begins, for which there is room by then.
func (r *Registry) enter(ctx context.Context, card zoo.Model, whole, pin bool) (*entry, error) {
	facts, made, err := r.facts(card)
	if err != nil {
		return nil, err
	}
	at := form{card.Dir, whole && facts.less}
	for {
		r.mu.Lock()
		if r.closed {
			r.mu.Unlock()
			return nil, &trilobite.Error{Op: "serving", Code: trilobite.NotReady, Msg: "The server is shutting down."}
		}
		var victims []*entry
		e := r.entries[at]
		if e != nil && e.loaded && e.card.Revision != card.Revision && onlyRevised(e.card, card) {
			if now, err := e.model.revised(card, r.c); err == nil {
				e.card, e.model = card, now // who uses the old one goes on with that
			}
		}
		if e != nil && (e.card.Revision != card.Revision || !reflect.DeepEqual(e.card.Card, card.Card)) {
			if r.leave(e) {
				victims = append(victims, e)
			}
			e = nil
		}
		var wait <-chan struct{}
		if e == nil {
			var more []*entry
			more, wait, err = r.room(card, facts.bytes)
			victims = append(victims, more...)
		}
		if e == nil && wait == nil && err == nil {
			e = &entry{form: at, card: card, bytes: facts.bytes, ready: make(chan struct{}), gone: make(chan struct{})}
			if !at.whole {
				e.light, e.graph = facts.light, made
			}
			r.entries[at] = e
			r.used += facts.bytes
			go r.load(e) //nolint:gosec // G118: the load is for all who wait, not for this request alone
		}
		if e != nil {
			e.users++
			if pin {
				e.pins++
			}
			r.uses++
			e.last = r.uses
		}
		r.mu.Unlock()
		for _, v := range victims {
			r.free(v)
		}
		if e != nil || err != nil {
			return e, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, canceled(ctx, card)
		}
	}
}

// load opens the model, for all who wait for it: it does not end with the request that
// came first.
func (r *Registry) load(e *entry) {
	e.model, e.err = open(context.Background(), r.c, e.card, e.light, e.graph)
	e.graph = nil
	r.mu.Lock()
	idle := false
	if e.err == nil {
		e.loaded = true
		idle = e.leaving && e.users == 0
		r.wake() // whoever asked may have left: then it may go for another
	} else {
		r.leave(e)
		r.used -= e.bytes
		r.wake()
		close(e.gone)
	}
	close(e.ready)
	r.mu.Unlock()
	if idle {
		r.free(e)
	}
}

// release takes a user off.
func (r *Registry) release(e *entry, pin bool) {
	r.mu.Lock()
	e.users--
	if pin {
		e.pins--
	}
	last := e.users == 0 && e.loaded && e.leaving
	if e.users == 0 && !e.leaving {
		r.wake() // it may go for another now
	}
	r.mu.Unlock()
	if last {
		r.free(e)
	}
}

// leave takes an entry out, so that nobody new finds it, and reports whether the caller
// must free it: nobody else will. The mutex is held.
func (r *Registry) leave(e *entry) bool {
	if e.leaving {
		return false
	}
	e.leaving = true
	if r.entries[e.form] == e {
		delete(r.entries, e.form)
	}
	return e.users == 0 && e.loaded
}

// free gives the memory of an entry back that has left and that nobody uses.
func (r *Registry) free(e *entry) {
	e.model.close()
	r.mu.Lock()
	r.used -= e.bytes
	r.wake()
	close(e.gone)
	r.mu.Unlock()
}

// forms returns the entries of a model. The mutex is held.
func (r *Registry) forms(card zoo.Model) []*entry {
	var all []*entry
	for _, whole := range []bool{false, true} {
		if e := r.entries[form{card.Dir, whole}]; e != nil {
			all = append(all, e)
		}
	}
	return all
}

// wake lets those who wait for room look again. The mutex is held.
func (r *Registry) wake() {
	close(r.freed)
	r.freed = make(chan struct{})
}

func canceled(ctx context.Context, card zoo.Model) error {
	return &trilobite.Error{
		Op: "serving", Code: trilobite.Canceled,
		Msg: fmt.Sprintf("The request ended before model %s was ready.", card.Ref()), Err: context.Cause(ctx),
	}
}
