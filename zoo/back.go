package zoo

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"trilobite"
)

// BackTo makes an earlier version of a model answer to its name again: a copy of it, with
// its pipelines, becomes the newest version, and the ones between stay for who names them. A
// name alone goes back to the version before the newest.
func (s *Store) BackTo(ref string) (Model, error) {
	refuse := func(format string, args ...any) error {
		return &trilobite.Error{Op: "zoo.BackTo", Code: trilobite.Invalid, Msg: fmt.Sprintf(format, args...)}
	}
	name, version, err := s.find(ref)
	if err != nil {
		return Model{}, err
	}
	versions := s.versions(name)
	newest := versions[len(versions)-1]
	switch {
	case len(versions) == 1:
		return Model{}, refuse("%s has one version, %d: there is none to go back to.", name, newest)
	case !strings.Contains(ref, "@"):
		version = versions[len(versions)-2]
	case version == newest:
		return Model{}, refuse("%s is the newest version already; there are %s.", ref, strings.Trim(fmt.Sprint(versions), "[]"))
	}
	m, err := s.original(name + "@" + strconv.Itoa(version))
	if err != nil {
		return Model{}, err
	}
	parent := filepath.Dir(m.Dir)
	tmp, err := os.MkdirTemp(parent, ".new-")
	if err != nil {
		return Model{}, err
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o755); err != nil { //nolint:gosec // models are no secrets
		return Model{}, err
	}
	if err := os.CopyFS(tmp, os.DirFS(m.Dir)); err != nil {
		return Model{}, fmt.Errorf("copying %s: %w", m.Ref(), err)
	}
	m.Version = newest + 1
	text, err := yaml.Marshal(&m.Card)
	if err != nil {
		return Model{}, err
	}
	if err := os.WriteFile(filepath.Join(tmp, "card.yaml"), text, 0o644); err != nil {
		return Model{}, err
	}
	if err := os.Rename(tmp, filepath.Join(parent, strconv.Itoa(m.Version))); err != nil {
		return Model{}, err
	}
	return s.read(name, m.Version)
}
