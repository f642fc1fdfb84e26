package runs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"trilobite"
	"trilobite/atomicfile"
)

// Folder is the folder of a run that is under way. It is safe for concurrent use.
type Folder struct {
	dir string

	mu     sync.Mutex
	run    Run
	events *os.File
	lock   *os.File
}

// lockFolder opens a run's folder for writing. Its lock ends with the process at the
// latest.
func lockFolder(dir string) (*Folder, error) {
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644) //nolint:gosec // it is empty
	if err != nil {
		return nil, err
	}
	if err := exclusive(lock); err != nil {
		_ = lock.Close()
		return nil, &trilobite.Error{Op: "runs.Open", Code: trilobite.InUse, Msg: fmt.Sprintf("Run %s is under way in another process.", filepath.Base(dir)), Err: err}
	}
	events, err := openEvents(filepath.Join(dir, "events.jsonl"))
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &Folder{dir: dir, events: events, lock: lock}, nil
}

// exclusive takes a lock; it waits a moment, since alive holds it for an instant.
func exclusive(f *os.File) (err error) {
	for range 20 {
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return err
}

// alive reports whether some process holds the run's lock.
func alive(dir string) bool {
	f, err := os.Open(filepath.Join(dir, "lock"))
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}

// Path returns the path of a file in the folder, for checkpoints and the like.
func (f *Folder) Path(name string) string { return filepath.Join(f.dir, name) }

// Run returns what run.json says now.
func (f *Folder) Run() Run {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.run
}

// Update changes the run and writes run.json.
func (f *Folder) Update(change func(*Run)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := f.run.ID
	change(&f.run)
	f.run.ID = id
	return f.save()
}

func (f *Folder) save() error {
	data, err := json.MarshalIndent(f.run, "", "  ")
	if err != nil {
		return fmt.Errorf("writing run.json of %s: %w", f.run.ID, err)
	}
	return atomicfile.WriteFile(filepath.Join(f.dir, "run.json"), append(data, '\n'), atomicfile.Perm)
}

// Append writes an event. What is more than a step is on the disk when it returns.
func (f *Folder) Append(e Event) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("run %s, event %s: %w", f.run.ID, e.Kind, err)
	}
	at, err := f.events.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if _, err := f.events.Write(append(line, '\n')); err != nil { // a full disk: half a line must not stay
		return errors.Join(err, f.events.Truncate(at))
	}
	if e.Kind == "step" {
		return nil
	}
	return f.events.Sync()
}

// Finish records how the run ended (Done, Failed or Canceled, cause nil or why) and
// gives the folder up.
func (f *Folder) Finish(state string, cause error) error {
	err := f.Update(func(r *Run) {
		r.State, r.Ended = state, time.Now()
		if cause != nil {
			r.Error = trilobite.Message(cause)
			if trilobite.CodeOf(cause) == trilobite.Internal {
				r.Error = cause.Error()
			}
		}
	})
	return errors.Join(err, f.close())
}

func (f *Folder) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return errors.Join(f.events.Close(), f.lock.Close())
}
