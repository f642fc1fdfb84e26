package compare

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"trilobite"
	"trilobite/atomicfile"
)

// folder keeps a run: answers/ROUTE-SOURCE/IMAGE.json, routes/ROUTE/ with what was
// trained, and spending.jsonl. Files are replaced whole, so that a run which was stopped
// goes on where it was.
type folder string

// record is what was asked of a route and answered, once.
type record struct {
	Image   string    `json:"image"` // path as the set has it
	SHA256  string    `json:"sha256"`
	Source  string    `json:"source"`
	Asked   time.Time `json:"asked"`
	Seconds float64   `json:"seconds"` // of the call that was answered, without waiting for its turn
	Bytes   int       `json:"bytes"`   // of the image
	Answer  Answer    `json:"answer"`
	Failed  string    `json:"failed,omitempty"` // why there will never be an answer
	// Raw is the service's own answer: JSON as it is, anything else as a string.
	Raw json.RawMessage `json:"raw,omitempty"`
}

// digest names an image by its content, so that a renamed file is not paid for again.
func digest(image []byte) string {
	sum := sha256.Sum256(image)
	return hex.EncodeToString(sum[:])
}

// answers is the folder of a route's answers. It is another one for another source: a
// new version of a model answers anew.
func (f folder) answers(route, source string) string {
	return filepath.Join(string(f), "answers", route+"-"+digest([]byte(source))[:8])
}

// route is the folder of what a route was trained to.
func (f folder) route(name string) string { return filepath.Join(string(f), "routes", name) }

// load returns the record of an image, nil where there is none yet. A file that cannot be
// read is an error: it was perhaps paid for.
func (f folder) load(dir, sha string) (*record, error) {
	path := filepath.Join(dir, sha[:32]+".json")
	data, err := os.ReadFile(path) //nolint:gosec // the name is a hash in the run's own folder
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var r record
	if err := json.Unmarshal(data, &r); err != nil || r.SHA256 != sha {
		return nil, fmt.Errorf("%s is not the answer that was kept there (%w); remove it to ask again", path, errors.Join(err, errors.New("its sha256 is another")))
	}
	return &r, nil
}

func (f folder) save(dir string, r *record) error {
	return writeJSON(filepath.Join(dir, r.SHA256[:32]+".json"), r)
}

// rawJSON is a service's answer as a part of a JSON file.
func rawJSON(raw []byte) json.RawMessage {
	switch {
	case len(raw) == 0:
		return nil
	case json.Valid(raw):
		return raw
	default:
		text, _ := json.Marshal(string(raw)) // a string always is JSON
		return text
	}
}

// Lock takes a run's folder for this process, and makes it where it is missing: two that ask the
// same pictures would pay for them twice. The lock ends with the process at the latest.
func Lock(dir string) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("the report cannot be written: %w", err)
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errors.Join(&trilobite.Error{Op: "compare.Lock", Code: trilobite.InUse, Msg: fmt.Sprintf(
			"Another process is at work on %s. Wait for it, or name another folder.", dir)}, f.Close())
	} else if err != nil {
		return nil, errors.Join(fmt.Errorf("locking %s: %w", dir, err), f.Close())
	}
	return func() { _ = f.Close() }, nil
}

// writeJSON replaces a file by v, whole or not at all.
func writeJSON(path string, v any) error {
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return WriteFile(path, append(data, '\n'))
}

// WriteFile replaces a file, whole or not at all, and makes its folder where it is missing.
func WriteFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return atomicfile.WriteFile(path, data, atomicfile.Perm)
}

// readJSON reads a file of the run; false where there is none.
func readJSON(path string, v any) (bool, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return false, fmt.Errorf("reading %s: %w; remove it to measure again", path, err)
	}
	return true, nil
}
