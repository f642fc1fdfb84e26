package zoo

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"trilobite"
)

// files are what a version's folder holds.
var files = []string{"card.yaml", "model.onnx", "labels.json"}

// Adopt installs the version in a folder that another store has written, or CopyTo, under
// its own name and number. One that is installed already, the same in every byte, is no
// error.
func (s *Store) Adopt(dir string) (Model, error) {
	data, err := os.ReadFile(filepath.Join(dir, "card.yaml"))
	if errors.Is(err, fs.ErrNotExist) {
		return Model{}, &trilobite.Error{Op: "zoo.Adopt", Code: trilobite.NotFound, Msg: fmt.Sprintf("There is no model in %s: it needs card.yaml, model.onnx and labels.json.", dir), Err: err}
	} else if err != nil {
		return Model{}, err
	}
	card, err := parseCard(data)
	if err != nil {
		return Model{}, fmt.Errorf("reading %s: %w", filepath.Join(dir, "card.yaml"), err)
	}
	if card.Version < 1 {
		return Model{}, fmt.Errorf("reading %s: version is %d, want 1 or more", filepath.Join(dir, "card.yaml"), card.Version)
	}
	if err := s.Verify(Model{Card: card, Dir: dir}); err != nil {
		return Model{}, err
	}
	ref := Model{Card: card}.Ref()
	if m, err := s.Get(ref); err == nil {
		if m.File == card.File {
			return m, nil
		}
		return Model{}, &trilobite.Error{Op: "zoo.Adopt", Code: trilobite.Exists, Msg: "Another " + ref + " is installed already."}
	}
	parent, tmp, err := s.room(card.Name)
	if err != nil {
		return Model{}, err
	}
	defer os.RemoveAll(tmp)
	from := Model{Card: card, Dir: dir}
	if err := from.CopyTo(tmp); err != nil {
		return Model{}, err
	}
	if err := os.Chmod(tmp, 0o755); err != nil { //nolint:gosec // models are no secrets
		return Model{}, err
	}
	m := Model{Card: card, Dir: filepath.Join(parent, fmt.Sprint(card.Version))}
	return m, os.Rename(tmp, m.Dir)
}

// CopyTo copies the version's files into a folder, from where Adopt takes them.
func (m Model) CopyTo(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, name := range files {
		if err := copyFile(filepath.Join(dir, name), filepath.Join(m.Dir, name)); err != nil {
			return fmt.Errorf("copying %s: %w", m.Ref(), err)
		}
	}
	return nil
}

func copyFile(to, from string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644) //nolint:gosec // G302: models are no secrets
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, in)
	return err
}
