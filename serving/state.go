package serving

import (
	"fmt"
	"slices"
	"strings"

	"trilobite"
	"trilobite/zoo"
)

// State is where a model is.
type State string

// The states.
const (
	Ready    State = "ready"    // in memory
	Loading  State = "loading"  // on its way there
	Idle     State = "idle"     // in service, loaded by the first request
	Unloaded State = "unloaded" // out of service until it is loaded
)

// Status is an installed model and where it is.
type Status struct {
	zoo.Model

	State    State
	Bytes    int64 // that it takes in memory, estimated; 0 where it is not
	Users    int   // requests that use it
	Pinned   bool  // it stays in memory
	TooLarge bool  // it can never fit beside those that are pinned; told by Registry.Status alone
}

// Serves reports whether a request for the model will be answered.
func (s Status) Serves() bool { return s.State != Unloaded && !s.TooLarge }

// List returns every installed version, by name, newest version first.
func (r *Registry) List() ([]Status, error) {
	cards, err := r.c.Store.List()
	if err != nil {
		return nil, err
	}
	all := make([]Status, len(cards))
	for i, c := range cards {
		all[i] = r.status(c)
	}
	return all, nil
}

// Status returns the model of a reference; a name alone is its newest version in service,
// or its newest one where none is.
func (r *Registry) Status(ref string) (Status, error) {
	card, err := r.served(ref)
	if err != nil {
		return Status{}, err
	}
	s := r.status(card)
	if s.State == Idle {
		facts, _, err := r.facts(card)
		if err != nil {
			return Status{}, err
		}
		r.mu.Lock()
		s.TooLarge = r.pinned()+facts.bytes > r.c.Memory
		r.mu.Unlock()
	}
	return s, nil
}

func (r *Registry) status(card zoo.Model) Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Status{Model: card, State: Idle}
	for _, e := range r.forms(card) {
		if e.loaded {
			s.State = Ready
		} else if s.State == Idle {
			s.State = Loading
		}
		s.Bytes, s.Users, s.Pinned = s.Bytes+e.bytes, s.Users+e.users-e.pins, s.Pinned || e.pins > 0
	}
	if r.stopped[card.Dir] {
		s.State = Unloaded
	}
	return s
}

// Memory returns how many bytes models take, estimated, and how many they may.
func (r *Registry) Memory() (used, most int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.used, r.c.Memory
}

// resolve returns the model of a reference that answers requests for it.
func (r *Registry) resolve(ref string) (zoo.Model, error) {
	card, err := r.c.Store.Get(ref)
	if err != nil || !r.isStopped(card) {
		return card, err
	}
	if !strings.Contains(ref, "@") {
		for _, v := range slices.Backward(r.c.Store.Versions(ref)) {
			if c, err := r.c.Store.Get(fmt.Sprintf("%s@%d", ref, v)); err == nil && !r.isStopped(c) {
				return c, nil
			}
		}
	}
	return zoo.Model{}, &trilobite.Error{
		Op: "serving", Code: trilobite.NotReady, Msg: fmt.Sprintf("Model %s is unloaded: load it first.", card.Ref()),
	}
}

func (r *Registry) isStopped(card zoo.Model) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stopped[card.Dir]
}

// Versions returns the installed versions of a name in ascending order.
func (r *Registry) Versions(name string) []int { return r.c.Store.Versions(name) }

// named returns the versions that a reference stands for: one, or all of a name.
func (r *Registry) named(ref string) ([]zoo.Model, error) {
	card, err := r.c.Store.Get(ref)
	if err != nil || strings.Contains(ref, "@") {
		return []zoo.Model{card}, err
	}
	var all []zoo.Model
	for _, v := range r.c.Store.Versions(ref) {
		c, err := r.c.Store.Get(fmt.Sprintf("%s@%d", ref, v))
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}
