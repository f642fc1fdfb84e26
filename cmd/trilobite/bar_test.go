package main

import (
	"os"
	"testing"
)

func TestIsTerminal(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		path string
		want bool
	}{
		"a device that swallows": {os.DevNull, false},
		"a file":                 {"bar_test.go", false},
		"a pseudo-terminal":      {"/dev/ptmx", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := os.OpenFile(tt.path, os.O_RDONLY, 0)
			if err != nil {
				t.Skipf("this machine has no %s", tt.path)
			}
			defer f.Close()
			if got := isTerminal(f); got != tt.want {
				t.Errorf("%s: %v, want %v", tt.path, got, tt.want)
			}
		})
	}
}
