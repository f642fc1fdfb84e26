package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func showDataset(t *testing.T, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"train/ant/1.jpg": "x", "train/bee/2.jpg": "x", "test/bee/3.jpg": "x", "train/bee/notes.txt": "x"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := newDatasetCmd(&App{})
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetArgs(append([]string{"show", dir}, args...))
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(out.String(), dir, "DIR")
}

func TestDatasetShow(t *testing.T) {
	t.Parallel()
	want := `format   folders
pictures 3 (train 2, test 1)

CLASS  PICTURES  OBJECTS
ant    1         0
bee    2         0

1 left out
  DIR/train/bee/notes.txt: no picture by its name, which ends in ".txt"
`
	if got := showDataset(t); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var s datasetSummary
	if err := json.Unmarshal([]byte(showDataset(t, "--json")), &s); err != nil || s.Images != 3 || s.Splits["train"] != 2 || len(s.Dropped) != 1 {
		t.Errorf("JSON %+v, error %v", s, err)
	}
}
