// Package serving keeps the models that answer requests: loaded when they are first
// asked, several at once within a budget of memory, the least recently used ones going
// when another needs their room, and coming back when they are asked again.
//
// Start at Registry: look.go asks a model about an image, infer.go runs it on tensors,
// and whoever answers with the same models all the time pins them (package label).
// graph.go loads what of a model is needed, memory.go decides what stays, entry.go is a
// model's life from its load to its end, state.go tells what there is. Where models come
// from is package zoo's business, how one is run that of detect, classify, segment and ort.
package serving

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"trilobite"
	"trilobite/imageio"
	"trilobite/ort"
	"trilobite/zoo"
)

// DefaultMemory is what loaded models may take together, bytes, where nothing else is said.
const DefaultMemory = 2 << 30

// decodeQueue is how many images may wait for memory to be decoded in.
const decodeQueue = 64

// Config is what a Registry works with.
type Config struct {
	Runtime  *ort.Runtime
	Store    *zoo.Store
	Options  ort.Options    // Name and Recorder are set for each model
	Memory   int64          // bytes that loaded models may take together; 0: DefaultMemory
	Images   int64          // bytes that decoded images may take together
	Limits   imageio.Limits // of one image
	Recorder ort.Recorder   // nil: nothing is recorded
}

// Registry is the models of a store, those in memory and those that will be when they
// are asked for. It is safe for concurrent use. Close it.
type Registry struct {
	c     Config
	turns *turns
	gate  *imageio.Gate

	mu      sync.Mutex
	entries map[form]*entry  // models in memory or on their way
	stopped map[string]bool  // models out of service, by their folder
	graphs  map[string]facts // what models are like, by their folder; known once asked
	used    int64            // bytes of all models that are not freed yet
	uses    int64            // a clock that ticks with each use
	freed   chan struct{}    // closed, and made anew, when there may be more room
	closed  bool

	sizing sync.Mutex
}

// New returns a Registry with nothing in memory.
func New(c Config) *Registry {
	c.Memory = cmp.Or(c.Memory, DefaultMemory)
	if c.Recorder == nil {
		c.Recorder = silent{}
	}
	return &Registry{
		c:       c,
		turns:   newTurns(c.Runtime.Cores(), cmp.Or(c.Options.MaxQueue, ort.DefaultQueue)),
		gate:    imageio.NewGate(c.Images, decodeQueue),
		entries: map[form]*entry{}, stopped: map[string]bool{}, graphs: map[string]facts{}, freed: make(chan struct{}),
	}
}

// Cores returns how many threads the models use together.
func (r *Registry) Cores() int { return r.c.Runtime.Cores() }

// Recorder returns where measurements go.
func (r *Registry) Recorder() ort.Recorder { return r.c.Recorder }

// Turn waits for a request's turn to work; it ends with done. It fails with Throttled
// when too many wait and Canceled when ctx ends first.
func (r *Registry) Turn(ctx context.Context) (done func(), err error) {
	left := r.c.Runtime.Announce()
	given, err := r.turns.take(ctx)
	if err != nil {
		left()
		return nil, err
	}
	return func() { given(); left() }, nil
}

// Decode decodes an image once its memory is free; the limits are the registry's.
func (r *Registry) Decode(ctx context.Context, image []byte, o imageio.Options) (*imageio.Image, func(), error) {
	o.Limits = r.c.Limits
	return r.gate.Decode(ctx, image, o)
}

// Use returns the model of a reference, name or name@version, in memory; it stays there
// until done is called. A name alone is its newest version that is in service. It fails
// with NotFound, with NotReady where the model is out of service, with LimitExceeded where
// it can never fit into memory beside those that are pinned, and with Canceled.
func (r *Registry) Use(ctx context.Context, ref string) (m *Model, done func(), err error) {
	card, err := r.resolve(ref)
	if err != nil {
		return nil, nil, err
	}
	return r.Open(ctx, card)
}

// Pin is Use for a model that answers for as long as the server runs: it is never freed
// to make room, nor taken out of service.
func (r *Registry) Pin(ctx context.Context, ref string) (m *Model, done func(), err error) {
	card, err := r.resolve(ref)
	if err != nil {
		return nil, nil, err
	}
	return r.open(ctx, card, false, true)
}

// Open is Use for a model of any store. Where its card has changed since it was loaded,
// it is loaded anew, and who uses the old one finishes with that.
func (r *Registry) Open(ctx context.Context, card zoo.Model) (m *Model, done func(), err error) {
	return r.open(ctx, card, false, false)
}

func (r *Registry) open(ctx context.Context, card zoo.Model, whole, pin bool) (*Model, func(), error) {
	e, err := r.take(ctx, card, whole, pin)
	if err != nil {
		return nil, nil, err
	}
	r.mu.Lock()
	m := e.model
	r.mu.Unlock()
	return m, sync.OnceFunc(func() { r.release(e, pin) }), nil
}

// Load puts a model into service and into memory; a name alone is its newest version.
func (r *Registry) Load(ctx context.Context, ref string) error {
	card, err := r.c.Store.Get(ref)
	if err != nil {
		return err
	}
	r.mu.Lock()
	out := r.stopped[card.Dir]
	delete(r.stopped, card.Dir)
	r.mu.Unlock()
	_, done, err := r.Open(ctx, card)
	if err != nil {
		if out { // it does not serve, so it does not come into service
			r.mu.Lock()
			r.stopped[card.Dir] = true
			r.mu.Unlock()
		}
		return err
	}
	done()
	return nil
}

// Unload takes a model out of service and frees its memory once the requests that use it
// have ended, for which it waits; a name alone is all its versions. They come back with
// Load, or when the server starts anew. It fails with InUse where one is pinned.
func (r *Registry) Unload(ctx context.Context, ref string) error {
	cards, err := r.named(ref)
	if err != nil {
		return err
	}
	r.mu.Lock()
	for _, c := range cards {
		if pinned := slices.ContainsFunc(r.forms(c), func(e *entry) bool { return e.pins > 0 }); pinned {
			r.mu.Unlock()
			return &trilobite.Error{
				Op: "serving.Unload", Code: trilobite.InUse,
				Msg: fmt.Sprintf("Model %s answers for the server's own APIs: take it off the setting models first.", c.Ref()),
			}
		}
	}
	for _, c := range cards {
		r.stopped[c.Dir] = true
	}
	r.mu.Unlock()
	for _, c := range cards {
		if err := r.Drop(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// Drop frees a model's memory once the requests that use it have ended, for which it
// waits. It stays in service: the next request loads it anew.
func (r *Registry) Drop(ctx context.Context, card zoo.Model) error {
	r.mu.Lock()
	all := r.forms(card)
	idle := slices.DeleteFunc(slices.Clone(all), func(e *entry) bool { return !r.leave(e) })
	r.mu.Unlock()
	for _, e := range idle {
		r.free(e)
	}
	for _, e := range all {
		select {
		case <-e.gone:
		case <-ctx.Done():
			return canceled(ctx, card)
		}
	}
	return nil
}

// Close frees every model once the requests that use it have ended.
func (r *Registry) Close() {
	r.mu.Lock()
	r.closed = true
	var all, idle []*entry
	for _, e := range r.entries {
		all = append(all, e)
		if r.leave(e) {
			idle = append(idle, e)
		}
	}
	r.mu.Unlock()
	for _, e := range idle {
		r.free(e)
	}
	for _, e := range all {
		<-e.gone
	}
}
