package ort

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lib.so")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	missing := file + ".none"
	t.Setenv(LibraryEnv, "")
	if got, err := Find(""); err != nil || !strings.Contains(got, LibraryVersion) {
		t.Errorf("Find in the checkout = %q, %v", got, err)
	}
	t.Setenv(LibraryEnv, missing)
	if got, err := Find(file); err != nil || got != file {
		t.Errorf("Find(%q) = %q, %v: the given path comes first", file, got, err)
	}
	if _, err := Find(""); err == nil || !strings.Contains(err.Error(), LibraryEnv) {
		t.Errorf("Find with a wrong %s: %v, want an error that names it", LibraryEnv, err)
	}
	t.Setenv(LibraryEnv, file)
	if got, err := Find(""); err != nil || got != file {
		t.Errorf("Find with %s = %q, %v", LibraryEnv, got, err)
	}
}

func TestLibraryIn(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, goos string
		files      []string
		want       string // empty: none
	}{
		{"the pinned release wins", "linux", []string{"libonnxruntime.so.1.99.0", "libonnxruntime.so.1.32.0"}, "libonnxruntime.so.1.32.0"},
		{"another release will do", "linux", []string{"libonnxruntime.so.1.99.0"}, "libonnxruntime.so.1.99.0"},
		{"macOS spells it otherwise", "darwin", []string{"libonnxruntime.so.1.32.0", "libonnxruntime.1.32.0.dylib"}, "libonnxruntime.1.32.0.dylib"},
		{"nothing there", "linux", nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, f := range tt.files {
				if err := os.WriteFile(filepath.Join(dir, f), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := libraryIn(dir, tt.goos)
			if (err != nil) != (tt.want == "") || err == nil && filepath.Base(got) != tt.want {
				t.Errorf("libraryIn = %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}
