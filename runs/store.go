package runs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"trilobite"
)

// Store is the folder of all runs.
type Store struct {
	dir string
}

// NewStore returns the runs under home, $TRILOBITE_HOME.
func NewStore(home string) *Store { return &Store{dir: filepath.Join(home, "runs")} }

// validName is what a run may be called: a model's name.
var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,62}$`)

// validID is what Create makes of name and time.
var validID = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,95}$`)

// Create makes the folder of a new run, whose ID is its name and the time it starts,
// and leaves it locked to the caller. ID, State and, where it is zero, Started are set.
func (s *Store) Create(r Run) (*Folder, error) {
	if !validName.MatchString(r.Name) {
		return nil, &trilobite.Error{Op: "runs.Create", Code: trilobite.Invalid, Msg: fmt.Sprintf("The name %.80q is not made of lower-case letters, digits, dots and dashes.", r.Name)}
	}
	if r.Started.IsZero() {
		r.Started = time.Now()
	}
	r.State = Running
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, err
	}
	base := r.Name + "-" + r.Started.UTC().Format("20060102-150405")
	for n := 1; ; n++ {
		r.ID = base
		if n > 1 {
			r.ID = fmt.Sprintf("%s-%d", base, n)
		}
		err := os.Mkdir(filepath.Join(s.dir, r.ID), 0o755)
		if errors.Is(err, fs.ErrExist) {
			continue
		} else if err != nil {
			return nil, err
		}
		f, err := lockFolder(filepath.Join(s.dir, r.ID))
		if err != nil {
			return nil, err
		}
		f.run = r
		if err := f.save(); err != nil {
			return nil, errors.Join(err, f.close())
		}
		return f, nil
	}
}

// Open locks a run that is not alive, so that it can go on: its state becomes running
// and its events continue where they end. It fails with trilobite.NotFound, or with
// trilobite.InUse where the run is alive.
func (s *Store) Open(ref string) (*Folder, error) {
	r, err := s.Get(ref)
	if err != nil {
		return nil, err
	}
	f, err := lockFolder(s.Dir(r.ID))
	if err != nil {
		return nil, err
	}
	if f.run, err = readRun(f.dir); err == nil { // again, now that nobody else writes it
		f.run.State, f.run.Ended, f.run.Error = Running, time.Time{}, ""
		err = f.save()
	}
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

// Dir returns the folder of the run called id.
func (s *Store) Dir(id string) string { return filepath.Join(s.dir, id) }

// List returns all runs, newest first, and one error for each folder that cannot be
// read.
func (s *Store) List() ([]Run, error) {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var all []Run
	var bad []error
	for _, e := range entries {
		if !e.IsDir() || !validID.MatchString(e.Name()) {
			continue
		}
		r, err := s.read(e.Name())
		if err != nil {
			bad = append(bad, err)
			continue
		}
		all = append(all, r)
	}
	slices.SortStableFunc(all, func(a, b Run) int { return b.Started.Compare(a.Started) })
	return all, errors.Join(bad...)
}

// Get returns the run that ref names: its ID, the beginning of one ID alone, or a
// model's name for its newest run. It fails with trilobite.NotFound.
func (s *Store) Get(ref string) (Run, error) {
	if validID.MatchString(ref) {
		r, err := s.read(ref)
		if !errors.Is(err, fs.ErrNotExist) {
			return r, err
		}
	}
	all, _ := s.List() // what cannot be read is not the one meant
	var begins []Run
	for _, r := range all {
		if r.Name == ref {
			return r, nil
		}
		if ref != "" && strings.HasPrefix(r.ID, ref) {
			begins = append(begins, r)
		}
	}
	if len(begins) == 1 {
		return begins[0], nil
	}
	if len(begins) > 1 {
		return Run{}, &trilobite.Error{Op: "runs.Get", Code: trilobite.Invalid, Msg: fmt.Sprintf("%d runs begin with %q; write more of the ID.", len(begins), ref)}
	}
	return Run{}, &trilobite.Error{Op: "runs.Get", Code: trilobite.NotFound, Msg: fmt.Sprintf("There is no run %.80q; `trilobite runs list` shows all.", ref)}
}

// read reads a run and tells whether it is alive.
func (s *Store) read(id string) (Run, error) {
	r, err := readRun(s.Dir(id))
	if err == nil && r.State == Running && !alive(s.Dir(id)) {
		r.State = Interrupted
	}
	return r, err
}
