package onnx

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzParse: whatever the bytes, Parse returns, and a model that it accepts can be
// written and read again.
func FuzzParse(f *testing.F) {
	addModels(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := Parse(data, "")
		if err != nil {
			return
		}
		out, err := Marshal(g)
		if err != nil {
			t.Fatalf("read but not written: %v", err)
		}
		if _, err := Parse(out, ""); err != nil {
			t.Fatalf("written but not read: %v", err)
		}
	})
}

// addModels begins a fuzz target's corpus with the models of testdata.
func addModels(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob("testdata/*/*.onnx")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}
