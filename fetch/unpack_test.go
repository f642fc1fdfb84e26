package fetch

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTarget(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"package/lib/**":     "vips/lib",
		"package/README.md":  "vips",
		"capi/lib*.so.1.32*": "ort/lib",
	}
	tests := []struct {
		name, member string
		want         string // empty: not wanted
	}{
		{"a named file", "package/README.md", "vips/README.md"},
		{"a tree keeps its folders", "package/lib/glib-2.0/include/glibconfig.h", "vips/lib/glib-2.0/include/glibconfig.h"},
		{"a tree is not its own member", "package/lib", ""},
		{"a tree's name begins no other", "package/library/a.h", ""},
		{"a pattern", "capi/libonnxruntime.so.1.32.0", "ort/lib/libonnxruntime.so.1.32.0"},
		{"a pattern stays in its folder", "capi/lib/x.so.1.32.0", ""},
		{"what nobody named", "package/index.js", ""},
		{"an unclean name", "./package//lib/./a.h", "vips/lib/a.h"},
		{"up from a tree", "package/lib/../../../etc/passwd", ""},
		{"up within the archive", "package/lib/../README.md", "vips/README.md"},
		{"up at once", "../package/lib/a.h", ""},
		{"absolute", "/package/lib/a.h", ""},
		{"nothing", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, got, ok := target(files, tt.member)
			if got != tt.want || ok != (tt.want != "") {
				t.Errorf("target(%q) = %q, %v, want %q", tt.member, got, ok, tt.want)
			}
		})
	}
}

// member is a file of an archive; link makes it a symbolic link (tar only).
type member struct{ name, content, link string }

func tgz(t *testing.T, members ...member) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	w := tar.NewWriter(z)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Mode: 0o644, Size: int64(len(m.content)), Typeflag: tar.TypeReg}
		if m.link != "" {
			h.Typeflag, h.Linkname = tar.TypeSymlink, m.link
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(m.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func wheel(t *testing.T, members ...member) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, m := range members {
		f, err := w.Create(m.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(m.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// tree returns the files under dir with their contents.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, path))
		all[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestUnpack(t *testing.T) {
	t.Parallel()
	good := []member{
		{name: "p/lib/a.so", content: "so"},
		{name: "p/lib/sub/b.h", content: "header"},
		{name: "p/LICENSE", content: "MIT"},
		{name: "p/index.js", content: "not wanted"},
	}
	files := map[string]string{"p/lib/**": "v/lib", "p/LICENSE": "v"}
	unpacked := map[string]string{"v/lib/a.so": "so", "v/lib/sub/b.h": "header", "v/LICENSE": "MIT"}
	tests := []struct {
		name    string
		members []member
		want    map[string]string // nil: an error
		err     string
	}{
		{"what is named", good, unpacked, ""},
		{"names that climb are left out", append(slices.Clone(good), member{name: "p/lib/../../../up.so", content: "x"}, member{name: "../p/lib/up.so", content: "x"}, member{name: "/p/lib/up.so", content: "x"}), unpacked, ""},
		{"the later of two wins", append(slices.Clone(good), member{name: "p/LICENSE", content: "Apache"}), map[string]string{"v/lib/a.so": "so", "v/lib/sub/b.h": "header", "v/LICENSE": "Apache"}, ""},
		{"a missing file", good[:2], nil, "lacks p/LICENSE"},
		{"a missing folder, though the rest has enough files", []member{{name: "p/LICENSE"}, {name: "./p/LICENSE"}}, nil, "lacks p/lib/**"},
		{"an empty archive", nil, nil, "lacks p/LICENSE, p/lib/**"},
	}
	for _, tt := range tests {
		for ending, pack := range map[string]func(*testing.T, ...member) []byte{".tgz": tgz, ".whl": wheel} {
			t.Run(tt.name+ending, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				archive, out := filepath.Join(dir, "a"+ending), filepath.Join(dir, "in", "out")
				if err := os.WriteFile(archive, pack(t, tt.members...), 0o600); err != nil {
					t.Fatal(err)
				}
				err := unpack(archive, files, out)
				if tt.want == nil {
					if err == nil || !strings.Contains(err.Error(), tt.err) {
						t.Fatalf("unpack: %v, want %q", err, tt.err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				want := map[string]string{"a" + ending: string(pack(t, tt.members...))}
				for name, content := range tt.want {
					want["in/out/"+name] = content
				}
				if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(tree(t, dir)))); diff != "" {
					t.Errorf("files (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.want, tree(t, out)); diff != "" {
					t.Errorf("contents (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestUnpackRefuses(t *testing.T) {
	t.Parallel()
	whole := tgz(t, member{name: "p/LICENSE", content: strings.Repeat("MIT ", 1000)})
	tests := []struct {
		name, archive string
		data          []byte
	}{
		{"a link in the place of a file", "a.tgz", tgz(t, member{name: "p/LICENSE", link: "/etc/passwd"})},
		{"a cut tar", "a.tgz", whole[:len(whole)-20]},
		{"no gzip", "a.tgz", []byte("PK\x03\x04")},
		{"no zip", "a.whl", whole},
		{"nothing", "a.whl", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			archive, out := filepath.Join(dir, tt.archive), filepath.Join(dir, "out")
			if err := os.WriteFile(archive, tt.data, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := unpack(archive, map[string]string{"p/LICENSE": "v"}, out); err == nil {
				t.Error("no error")
			}
			if _, err := os.Lstat(filepath.Join(out, "v", "LICENSE")); !os.IsNotExist(err) {
				t.Errorf("the file is there: %v", err)
			}
		})
	}
}
