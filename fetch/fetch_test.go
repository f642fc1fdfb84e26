package fetch

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trilobite/deps"
)

// Hashes of "trilobite", by coreutils' sha256sum, and openssl dgst with base64.
const (
	sha256Hex    = "cce79f7c6fb6b8c0be4a13e85c33c25d6e3074c8e85f000439cfdf7885a71485"
	sha512Base64 = "EgqrdwBekOe6XztndF7kM4FOqMqNqQChMRZxW05yf68OleYKMExOXEb9PzXhvhFFzH9c2jcGe+HJTSY6vTPUjA=="
)

func TestVerify(t *testing.T) {
	t.Parallel()
	archive := filepath.Join(t.TempDir(), "a.tgz")
	if err := os.WriteFile(archive, []byte("trilobite"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, archive, registry, hash string
		want                          string // empty: no error
	}{
		{"npm", archive, "npm", sha512Base64, ""},
		{"pypi", archive, "pypi", sha256Hex, ""},
		{"another archive's hash", archive, "pypi", strings.Repeat("0", 64), "is not the one that was checked"},
		{"the other registry's hash", archive, "npm", sha256Hex, "is not the one that was checked"},
		{"no pinned hash", archive, "npm", "", "is not the one that was checked"},
		{"no archive", archive + "x", "npm", sha512Base64, "no such file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := verify(tt.archive, tt.registry, tt.hash)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("verify: %v, want %q", err, tt.want)
			}
		})
	}
}

// The package's registry does not exist, so that anything but a right stamp fails.
func TestPackage(t *testing.T) {
	t.Parallel()
	pinned := deps.Package{
		Name: "@scope/net", Registry: "none", Version: "1.0", Licence: "MIT",
		Archives: map[string]deps.Archive{"linux/amd64": {Hash: "abc"}},
		Files:    map[string]string{"b": "y", "a": "x"},
	}
	dir := t.TempDir()
	stamped := "none @scope/net 1.0\nabc\na -> x\nb -> y\n"
	if err := writeFile(filepath.Join(dir, ".stamps", "@scope+net"), []byte(stamped)); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name     string
		platform string
		change   func(*deps.Package)
		want     string // empty: nothing to do
	}{
		{"fetched before", "linux/amd64", func(*deps.Package) {}, ""},
		{"a new version", "linux/amd64", func(p *deps.Package) { p.Version = "1.1" }, `fetching @scope/net 1.1: registry "none" is neither`},
		{"a new hash", "linux/amd64", func(p *deps.Package) { p.Archives = map[string]deps.Archive{"any": {Hash: "abd"}} }, "is neither"},
		{"another file", "linux/amd64", func(p *deps.Package) { p.Files = map[string]string{"a": "x"} }, "is neither"},
		{"another folder", "linux/amd64", func(p *deps.Package) { p.Files = map[string]string{"a": "x", "b": "z"} }, "is neither"},
		{"a platform without an archive", "plan9/386", func(*deps.Package) {}, "no archive for plan9/386"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, log := pinned, new(bytes.Buffer)
			tt.change(&p)
			err := Package(t.Context(), p, tt.platform, dir, log)
			if tt.want == "" {
				if err != nil || log.Len() > 0 {
					t.Errorf("Package: %v, log %q, want neither", err, log)
				}
			} else if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Package: %v, want %q", err, tt.want)
			}
		})
	}
}
