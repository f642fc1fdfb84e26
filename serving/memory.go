package serving

import (
	"fmt"

	"trilobite"
	"trilobite/zoo"
)

// room makes room for a model of n bytes, which is there where neither a channel to wait
// on nor an error comes back. victims have left to that end, the least recently used
// first; the caller frees them, with the mutex released, and waits like everybody. The
// mutex is held.
func (r *Registry) room(card zoo.Model, n int64) (victims []*entry, wait <-chan struct{}, err error) {
	if r.used+n <= r.c.Memory {
		return nil, nil, nil
	}
	pinned := r.pinned()
	if pinned+n > r.c.Memory {
		return nil, nil, &trilobite.Error{Op: "serving", Code: trilobite.LimitExceeded, Msg: fmt.Sprintf(
			"Model %s needs %d MiB; of %d MiB for models, %d MiB are taken for good: raise the setting serving.memory.",
			card.Ref(), mebibytes(n), mebibytes(r.c.Memory), mebibytes(pinned))}
	}
	for left := r.used + n - r.c.Memory; left > 0; {
		e := r.oldest()
		if e == nil {
			break // the rest is busy, or being freed: wait
		}
		r.leave(e)
		victims = append(victims, e)
		left -= e.bytes
	}
	return victims, r.freed, nil
}

// pinned returns what models take that stay in memory, bytes. The mutex is held.
func (r *Registry) pinned() int64 {
	n := int64(0)
	for _, e := range r.entries {
		if e.pins > 0 {
			n += e.bytes
		}
	}
	return n
}

// oldest returns the model that nobody has used for longest among those that nobody uses,
// or nil. The mutex is held.
func (r *Registry) oldest() *entry {
	var old *entry
	for _, e := range r.entries {
		if e.loaded && e.users == 0 && (old == nil || e.last < old.last) {
			old = e
		}
	}
	return old
}

func mebibytes(n int64) int64 { return (n + 1<<20 - 1) >> 20 }
