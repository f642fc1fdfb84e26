package zoo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"trilobite"
	"trilobite/atomicfile"
	"trilobite/pipeline"
)

// Revision is a pipeline file that a version was given after it was installed. Revision
// 0 is the card's own preprocessing.
type Revision struct {
	N       int       `json:"revision"`
	Before  int       `json:"before"` // the revision that was in use when this one came
	Created time.Time `json:"created"`
	Source  string    `json:"source"` // the file it was read from
}

// Revisions are the pipelines of a version: VERSION/pipeline/revisions.json, beside each
// one's text, N.yaml. Texts never change; which one is in use does.
type Revisions struct {
	Current int        `json:"current"`
	All     []Revision `json:"revisions"`
}

func pipelineDir(dir string) string { return filepath.Join(dir, "pipeline") }

// RevisionFile returns the path of a revision's text.
func (m Model) RevisionFile(n int) string {
	return filepath.Join(pipelineDir(m.Dir), strconv.Itoa(n)+".yaml")
}

// Revisions reads which pipelines the version has had.
func (m Model) Revisions() (Revisions, error) {
	var r Revisions
	name := filepath.Join(pipelineDir(m.Dir), "revisions.json")
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	} else if err != nil {
		return r, err
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("reading %s: %w", name, err)
	}
	return r, nil
}

// RevisionsChanged says when the version's pipeline was last changed: the zero time, never.
func (m Model) RevisionsChanged() time.Time {
	at, err := os.Stat(filepath.Join(pipelineDir(m.Dir), "revisions.json"))
	if err != nil {
		return time.Time{}
	}
	return at.ModTime()
}

// ReadRevision returns a revision's text.
func (m Model) ReadRevision(n int) ([]byte, error) { return os.ReadFile(m.RevisionFile(n)) }

// revised gives a model the pipeline that is in use.
func revised(m Model) (Model, error) {
	m.Changed = m.RevisionsChanged() // before it is read: what comes in between is seen next time
	r, err := m.Revisions()
	if err != nil || r.Current == 0 {
		return m, err
	}
	text, err := m.ReadRevision(r.Current)
	if err != nil {
		return m, err
	}
	m.Revision = r.Current
	m.Pipeline, err = pipeline.Parse(m.RevisionFile(r.Current), text, m.Pipeline)
	return m, err
}

// SetPipeline makes a pipeline file the preprocessing of a version, as a new revision,
// and returns its number. A file that cannot be is an error, and changes nothing.
func (s *Store) SetPipeline(ref, source string, text []byte) (Model, error) {
	m, err := s.original(ref)
	if err != nil {
		return Model{}, err
	}
	if _, err := m.tryPipeline(source, text); err != nil {
		return Model{}, err
	}
	unlock, err := m.lockRevisions()
	if err != nil {
		return Model{}, err
	}
	defer unlock()
	r, err := m.Revisions()
	if err != nil {
		return Model{}, err
	}
	n := 1
	if len(r.All) > 0 {
		n = r.All[len(r.All)-1].N + 1
	}
	r.All = append(r.All, Revision{N: n, Before: r.Current, Created: time.Now().UTC().Truncate(time.Second), Source: filepath.Base(source)})
	r.Current = n
	if err := atomicfile.WriteFile(m.RevisionFile(n), text, atomicfile.Perm); err != nil {
		return Model{}, err
	}
	if err := m.writeRevisions(r); err != nil {
		return Model{}, err
	}
	return s.Get(m.Ref())
}

// lockRevisions waits until no other process changes which pipelines the version has.
func (m Model) lockRevisions() (unlock func(), err error) {
	if err := os.MkdirAll(pipelineDir(m.Dir), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(pipelineDir(m.Dir), "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if err == nil {
			return func() { _ = f.Close() }, nil
		} else if !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("locking %s: %w", f.Name(), err), f.Close())
		}
	}
}

// RollBack puts the pipeline into use that was before the one in use.
func (s *Store) RollBack(ref string) (Model, error) {
	m, err := s.original(ref)
	if err != nil {
		return Model{}, err
	}
	unlock, err := m.lockRevisions()
	if err != nil {
		return Model{}, err
	}
	defer unlock()
	r, err := m.Revisions()
	if err != nil {
		return Model{}, err
	}
	if r.Current == 0 {
		return Model{}, &trilobite.Error{Op: "zoo.RollBack", Code: trilobite.Invalid, Msg: m.Ref() + " uses its card's own preprocessing: nothing is before it."}
	}
	for _, rev := range r.All {
		if rev.N == r.Current {
			r.Current = rev.Before
			break
		}
	}
	if err := m.writeRevisions(r); err != nil {
		return Model{}, err
	}
	return s.Get(m.Ref())
}

// original is Get without revisions: a broken one can still be replaced or rolled back.
func (s *Store) original(ref string) (Model, error) {
	s = &Store{dir: s.dir, asInstalled: true}
	return s.Get(ref)
}

func (m Model) writeRevisions(r Revisions) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(filepath.Join(pipelineDir(m.Dir), "revisions.json"), data, atomicfile.Perm)
}

// TryPipeline reads a pipeline file as SetPipeline does, and changes nothing.
func (s *Store) TryPipeline(ref, source string, text []byte) (pipeline.Spec, error) {
	m, err := s.original(ref)
	if err != nil {
		return pipeline.Spec{}, err
	}
	return m.tryPipeline(source, text)
}

// tryPipeline reads a pipeline file for a version as it was installed. What its task cannot
// do with it is Invalid, as what is wrong in it.
func (m Model) tryPipeline(source string, text []byte) (pipeline.Spec, error) {
	s, err := pipeline.Parse(source, text, m.Pipeline)
	if err == nil && m.Task == Segment {
		if err = s.ForMask(); err != nil {
			err = fmt.Errorf("%s: %w", source, err)
		}
	}
	if err != nil {
		return pipeline.Spec{}, &trilobite.Error{Op: "zoo.SetPipeline", Code: trilobite.Invalid, Msg: err.Error(), Err: err}
	}
	return s, nil
}

// Trial makes a store below home with one version of s, by links, that has a pipeline
// file in use, and returns its reference. What s has in use stays.
func (s *Store) Trial(home, ref, source string, text []byte) (string, error) {
	m, err := s.original(ref)
	if err != nil {
		return "", err
	}
	from, err := filepath.Abs(m.Dir)
	if err != nil {
		return "", err
	}
	files, err := os.ReadDir(from)
	if err != nil {
		return "", err
	}
	trial := NewStore(home)
	dir := trial.Dir(m.Name, strconv.Itoa(m.Version))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for _, f := range files {
		if f.Name() == filepath.Base(pipelineDir(dir)) {
			continue
		}
		if err := os.Symlink(filepath.Join(from, f.Name()), filepath.Join(dir, f.Name())); err != nil {
			return "", err
		}
	}
	_, err = trial.SetPipeline(m.Ref(), source, text)
	return m.Ref(), err
}
