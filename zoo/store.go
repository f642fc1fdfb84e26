package zoo

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"trilobite"
	"trilobite/onnx"
)

// Store is a folder of models: NAME/VERSION/{card.yaml,model.onnx,labels.json}. A
// version appears whole or not at all and never changes afterwards, but for the revisions of
// its preprocessing, beside it (revision.go).
type Store struct {
	dir         string
	asInstalled bool // read gives the card's own preprocessing, whatever revisions there are
}

// Model is an installed model.
type Model struct {
	Card
	Dir      string
	Revision int       // of its pipeline (revision.go); 0: the card's own
	Changed  time.Time // when its pipeline was, before it was read; zero: never
}

// NewStore returns the model store under home, $TRILOBITE_HOME.
func NewStore(home string) *Store {
	return &Store{dir: filepath.Join(home, "models")}
}

// Dir returns where a version is, or would be.
func (s *Store) Dir(name, version string) string { return filepath.Join(s.dir, name, version) }

// Ref returns the model's name and version as they are written, name@version.
func (m Model) Ref() string { return m.Name + "@" + strconv.Itoa(m.Version) }

// GraphFile returns the path of model.onnx.
func (m Model) GraphFile() string { return filepath.Join(m.Dir, "model.onnx") }

// ReadLabels reads labels.json.
func (m Model) ReadLabels() (Labels, error) {
	var l Labels
	data, err := os.ReadFile(filepath.Join(m.Dir, "labels.json"))
	if err != nil {
		return l, err
	}
	if err := json.Unmarshal(data, &l); err != nil {
		return l, fmt.Errorf("reading labels of %s: %w", m.Ref(), err)
	}
	return l, nil
}

// List returns every installed version, by name, newest version first.
func (s *Store) List() ([]Model, error) {
	names, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var all []Model
	for _, n := range names {
		if !validName.MatchString(n.Name()) {
			continue
		}
		for _, v := range slices.Backward(s.versions(n.Name())) {
			m, err := s.read(n.Name(), v)
			if trilobite.CodeOf(err) == trilobite.NotFound {
				continue
			} else if err != nil {
				return nil, err
			}
			all = append(all, m)
		}
	}
	return all, nil
}

// Get returns the model of a reference: a name for its newest version, or
// name@version. It fails with trilobite.NotFound.
func (s *Store) Get(ref string) (Model, error) {
	name, v, err := s.find(ref)
	if err != nil {
		return Model{}, err
	}
	return s.read(name, v)
}

// find returns the name and the version that ref means.
func (s *Store) find(ref string) (name string, version int, err error) {
	name, wanted, exact := strings.Cut(ref, "@")
	missing := notInstalled(ref)
	if !validName.MatchString(name) {
		return "", 0, missing
	}
	versions := s.versions(name)
	if len(versions) == 0 {
		return "", 0, missing
	}
	version = versions[len(versions)-1]
	if exact {
		n, err := strconv.Atoi(wanted)
		if err != nil || !slices.Contains(versions, n) {
			return "", 0, missing
		}
		version = n
	}
	return name, version, nil
}

func notInstalled(ref string) error {
	return &trilobite.Error{Op: "zoo.Get", Code: trilobite.NotFound, Msg: fmt.Sprintf("No model %q is installed; `trilobite models list` shows those that are, `trilobite models pull` installs.", ref)}
}

// Versions returns the installed versions of a name in ascending order; none for what is
// no name.
func (s *Store) Versions(name string) []int {
	if !validName.MatchString(name) {
		return nil
	}
	return s.versions(name)
}

func (s *Store) versions(name string) []int {
	entries, err := os.ReadDir(filepath.Join(s.dir, name))
	if err != nil {
		return nil
	}
	var versions []int
	for _, e := range entries {
		if v, err := strconv.Atoi(e.Name()); err == nil && v > 0 && e.IsDir() {
			versions = append(versions, v)
		}
	}
	slices.Sort(versions)
	return versions
}

// read reads a version's card. A folder without one is what an interrupted Remove left.
func (s *Store) read(name string, version int) (Model, error) {
	dir := filepath.Join(s.dir, name, strconv.Itoa(version))
	data, err := os.ReadFile(filepath.Join(dir, "card.yaml"))
	if errors.Is(err, fs.ErrNotExist) {
		return Model{}, notInstalled(name + "@" + strconv.Itoa(version))
	} else if err != nil {
		return Model{}, err
	}
	c, err := parseCard(data)
	if err != nil {
		return Model{}, fmt.Errorf("reading %s: %w", filepath.Join(dir, "card.yaml"), err)
	}
	m := Model{Card: c, Dir: dir}
	if s.asInstalled {
		return m, nil
	}
	return revised(m)
}

// Put installs a model as card.Version, or as the next version if that is 0. It
// fails with trilobite.Exists if the version is there already.
func (s *Store) Put(card Card, g *onnx.Graph, labels Labels) (Model, error) {
	if err := card.Check(); err != nil {
		return Model{}, &trilobite.Error{Op: "zoo.Put", Code: trilobite.Invalid, Msg: err.Error()}
	}
	if card.Version == 0 {
		card.Version = 1
		if v := s.versions(card.Name); len(v) > 0 {
			card.Version = v[len(v)-1] + 1
		}
	}
	parent, tmp, err := s.room(card.Name)
	if err != nil {
		return Model{}, err
	}
	defer os.RemoveAll(tmp)
	if err := fill(tmp, &card, g, labels); err != nil {
		return Model{}, fmt.Errorf("installing %s: %w", card.Name, err)
	}
	m := Model{Card: card, Dir: filepath.Join(parent, strconv.Itoa(card.Version))}
	if err := os.Rename(tmp, m.Dir); errors.Is(err, fs.ErrExist) {
		return Model{}, &trilobite.Error{Op: "zoo.Put", Code: trilobite.Exists, Msg: m.Ref() + " is installed already."}
	} else if err != nil {
		return Model{}, err
	}
	return m, nil
}

// room returns the folder of a name's versions, and one in it for a new version to be made
// in, which is renamed in the end.
func (s *Store) room(name string) (parent, tmp string, err error) {
	parent = filepath.Join(s.dir, name)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", "", err
	}
	tmp, err = os.MkdirTemp(parent, ".new-")
	return parent, tmp, err
}

// fill writes a version's files into dir and records the graph's digest in card.
func fill(dir string, card *Card, g *onnx.Graph, labels Labels) error {
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // models are no secrets
		return err
	}
	graph := filepath.Join(dir, "model.onnx")
	if err := onnx.Save(graph, g); err != nil {
		return err
	}
	var err error
	if card.File, err = digest(graph); err != nil {
		return err
	}
	names, err := json.Marshal(labels)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "labels.json"), names, 0o644); err != nil {
		return err
	}
	text, err := yaml.Marshal(card)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "card.yaml"), text, 0o644)
}

// Verify compares model.onnx with the digest on the card.
func (s *Store) Verify(m Model) error {
	got, err := digest(m.GraphFile())
	if err != nil {
		return err
	}
	if got != m.File {
		return fmt.Errorf("%s is damaged: sha256 %s, %d bytes; the card says %s, %d bytes", m.GraphFile(), got.SHA256, got.Bytes, m.File.SHA256, m.File.Bytes)
	}
	return nil
}

// Remove deletes the version that ref names, or every version if it names none: at once,
// by a rename, so that nobody finds a part of it, though a program that dies may leave a
// folder whose name begins with a dot.
func (s *Store) Remove(ref string) error {
	name, version, err := s.find(ref)
	if err != nil {
		return err
	}
	dir := filepath.Join(s.dir, name)
	if strings.Contains(ref, "@") {
		dir = filepath.Join(dir, strconv.Itoa(version))
	}
	gone, err := os.MkdirTemp(filepath.Dir(dir), ".gone-")
	if err != nil {
		return err
	}
	return errors.Join(os.Rename(dir, filepath.Join(gone, filepath.Base(dir))), os.RemoveAll(gone))
}

func digest(name string) (File, error) {
	f, err := os.Open(name)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return File{}, err
	}
	return File{SHA256: hex.EncodeToString(h.Sum(nil)), Bytes: n}, nil
}
