package torch

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/tensor"
)

func TestRead(t *testing.T) {
	t.Parallel()
	want, err := tensor.ReadNPZ("testdata/state.npz")
	if err != nil {
		t.Fatal(err)
	}
	names, _ := tensor.Data[string](want["names"])
	for _, file := range []string{"zip.pth", "zip_protocol4.pth", "legacy.pth", "checkpoint.pth", "state.safetensors"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			sd, err := Read(filepath.Join("testdata", file))
			if err != nil {
				t.Fatal(err)
			}
			if len(sd.Names) != len(names) || len(sd.Tensors) != len(names) {
				t.Errorf("got %d names and %d tensors, want %d", len(sd.Names), len(sd.Tensors), len(names))
			}
			if diff := cmp.Diff(names, sd.Names); diff != "" && !strings.HasSuffix(file, "safetensors") {
				t.Errorf("order (-want +got):\n%s", diff)
			}
			for _, name := range names {
				got, want := sd.Tensors[name], want[name]
				if got == nil {
					t.Errorf("%s is missing", name)
					continue
				}
				dtype := want.DType.String()
				if name == "bfloat16" { // NumPy has none; the golden holds its bits
					dtype = "bfloat16"
				}
				if got.DType.String() != dtype || !cmp.Equal(got.Shape, want.Shape) {
					t.Errorf("%s is %v%v, want %s%v", name, got.DType, got.Shape, dtype, want.Shape)
				}
				if diff := cmp.Diff(want.Raw(), got.Raw()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		file, want string // part of the error
	}{
		{"evil.pth", `"posix.system"`},
		{"evil_protocol4.pth", `"posix.system"`},
		{"evil_legacy.pth", `"posix.system"`},
		{"module.pth", `"torch.nn.modules.container.Sequential"`},
		{"script.pth", "TorchScript"},
		{"no_tensors.pth", `no tensors under the keys "epoch"`},
		{"state.npz", "data.pkl"},
		{"missing.pth", "no such file"},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			_, err := Read(filepath.Join("testdata", tt.file))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.file) {
				t.Errorf("got error %v, want %s in it, and the file", err, tt.want)
			}
		})
	}
}

// A pickle that claims more than it has must fail before the memory is asked for.
func TestScanRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, pickle, want string }{
		{"no end", "\x80\x02}", "no end"},
		{"string of 2^60 bytes", "\x80\x02\x8d\x00\x00\x00\x00\x00\x00\x00\x10.", "length 1152921504606846976"},
		{"string of 2 GB", "\x80\x02X\xff\xff\xff\x7f.", "at most"},
		{"frame beyond the end", "\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}.", "beyond the pickle"},
		{"frame of 2^63 bytes", "\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x80}.", "length 9223372036854775808"},
		{"instance opcode", "\x80\x02(ios\nsystem\n.", "opcode 0x69"},
		{"opcode 255", "\x80\x02\xff.", "opcode 0xff"},
		{"a class gopickle knows", "\x80\x02ccopy_reg\n_reconstructor\n.", `"copy_reg._reconstructor"`},
		{"endless line", "\x80\x02c" + strings.Repeat("a", 1000), "more than 256 bytes"},
		{"too many opcodes", "\x80\x02" + strings.Repeat("N0", maxOpcodes), "opcodes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse([]byte(tt.pickle))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestViewRefuses(t *testing.T) {
	t.Parallel()
	four := &storage{dtype: tensor.Float32, key: "0", n: 4}
	tests := []struct {
		name string
		v    view
		want string
	}{
		{"beyond the storage", view{four, 1, []int64{4}, []int64{1}}, "beyond"},
		{"offset beyond the storage", view{four, 4, []int64{1}, []int64{1}}, "beyond"},
		{"stride beyond the storage", view{four, 0, []int64{2}, []int64{1 << 62}}, "beyond"},
		{"stride 0 makes a terabyte", view{four, 0, []int64{1 << 38}, []int64{0}}, "too large"},
		{"product beyond int64", view{four, 0, []int64{1 << 32, 1 << 32}, []int64{0, 0}}, "too large"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStorages(100, func(*storage) ([]byte, error) { return make([]byte, 16), nil })
			if _, err := s.tensor(&tt.v); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q in it", err, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		sd, err := Parse(data)
		if err == nil && len(sd.Names) != len(sd.Tensors) {
			t.Errorf("%d names, %d tensors", len(sd.Names), len(sd.Tensors))
		}
	})
}

// FuzzPickle skips the container, whose checksum stops most mutations of a zip.
func FuzzPickle(f *testing.F) {
	data, err := os.ReadFile("testdata/legacy.pth")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data[:len(data)*3/4])
	f.Add([]byte("\x80\x02}q\x00X\x01\x00\x00\x00aq\x01ctorch._utils\n_rebuild_tensor_v2\nq\x02)R."))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = readLegacy(bytes.NewReader(data), int64(len(data)))
		scanned, err := scan(bufio.NewReader(bytes.NewReader(data)))
		if err == nil {
			if obj, err := unpickle(scanned, map[string]*storage{}); err == nil {
				_, _ = newStateDict(obj, newStorages(0, func(s *storage) ([]byte, error) {
					return make([]byte, min(s.n*int64(s.dtype.Size()), 1<<16)), nil
				}))
			}
		}
	})
}
