package tensor

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// golden is an array of testdata/arrays.json; floats are the bits of their double.
type golden struct {
	DType    string   `json:"dtype"`
	Shape    []int64  `json:"shape"`
	Elements []string `json:"elements"`
}

func goldens(t *testing.T) map[string]golden {
	t.Helper()
	data, err := os.ReadFile("testdata/arrays.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]golden
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	return want
}

func plain(t *Tensor) golden {
	g := golden{DType: t.DType.String(), Shape: t.Shape, Elements: []string{}}
	float := func(x float64) string { return fmt.Sprint(math.Float64bits(x)) }
	switch v := t.Raw().(type) {
	case []float32:
		for _, x := range v {
			g.Elements = append(g.Elements, float(float64(x)))
		}
	case []float64:
		for _, x := range v {
			g.Elements = append(g.Elements, float(x))
		}
	case []bool:
		for _, x := range v {
			g.Elements = append(g.Elements, map[bool]string{true: "True", false: "False"}[x])
		}
	case []uint16:
		for _, x := range v {
			if t.DType == Float16 {
				g.Elements = append(g.Elements, float(float64(halfFloat(x))))
			} else {
				g.Elements = append(g.Elements, fmt.Sprint(x))
			}
		}
	case []string:
		g.Elements = append(g.Elements, v...)
	default:
		g.Elements = strings.Fields(strings.Trim(fmt.Sprint(v), "[]"))
	}
	return g
}

// halfFloat is the value of a binary16's bits, straight from IEEE 754's definition.
func halfFloat(b uint16) float64 {
	sign, exp, frac := 1-2*float64(b>>15), int(b>>10&31), float64(b&1023)
	switch exp {
	case 0:
		return math.Copysign(math.Ldexp(frac, -24), sign)
	case 31:
		return math.Inf(int(sign))
	default:
		return sign * math.Ldexp(1024+frac, exp-25)
	}
}

func TestReadNPZ(t *testing.T) {
	t.Parallel()
	want := goldens(t)
	got, err := ReadNPZ("testdata/arrays.npz")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Errorf("got %d arrays, want %d", len(got), len(want))
	}
	for name, w := range want {
		if got[name] == nil {
			t.Errorf("%s is missing", name)
		} else if diff := cmp.Diff(w, plain(got[name])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestNPYVersions(t *testing.T) {
	t.Parallel()
	want := goldens(t)["fortran"]
	for v := 1; v <= 3; v++ {
		data, err := os.ReadFile(fmt.Sprintf("testdata/v%d.npy", v))
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseNPY(data)
		if err != nil {
			t.Errorf("version %d: %v", v, err)
		} else if diff := cmp.Diff(want, plain(got)); diff != "" {
			t.Errorf("version %d (-want +got):\n%s", v, diff)
		}
	}
}

func TestWriteNPZ(t *testing.T) {
	t.Parallel()
	arrays, err := ReadNPZ("testdata/arrays.npz")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "out.npz")
	if err := WriteNPZ(path, arrays); err == nil || !strings.Contains(err.Error(), `"text"`) {
		t.Errorf("strings: got error %v, want one that names the array", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) > 0 {
		t.Errorf("a write that fails leaves %v", left)
	}
	delete(arrays, "text")
	if err := WriteNPZ(path, arrays); err != nil {
		t.Fatal(err)
	}
	back, err := ReadNPZ(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range arrays {
		if diff := cmp.Diff(plain(a), plain(back[name])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestReadSafetensors(t *testing.T) {
	t.Parallel()
	want := goldens(t)
	got, err := ReadSafetensors("testdata/arrays.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	if got.Meta["made"] != `by "numpy"` {
		t.Errorf("metadata = %v", got.Meta)
	}
	if len(got.Names) != 14 || len(got.Tensors) != 14 {
		t.Errorf("got %d names and %d tensors, want 14", len(got.Names), len(got.Tensors))
	}
	for _, name := range got.Names {
		if diff := cmp.Diff(want[name], plain(got.Tensors[name])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	path := filepath.Join(t.TempDir(), "out.safetensors")
	if err := WriteSafetensors(path, got.Tensors, got.Meta); err != nil {
		t.Fatal(err)
	}
	// Larger types first, then names, then padding: the file is the reference library's.
	ours, _ := os.ReadFile(path)
	theirs, _ := os.ReadFile("testdata/arrays.safetensors")
	back, err := ParseSafetensors(ours)
	if err != nil {
		t.Fatal(err)
	}
	if len(ours)%8 != len(theirs)%8 || cmp.Diff(got.Meta, back.Meta) != "" {
		t.Errorf("length %d, meta %v; want %d, %v", len(ours), back.Meta, len(theirs), got.Meta)
	}
	for name, a := range got.Tensors {
		if diff := cmp.Diff(plain(a), plain(back.Tensors[name])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// st is a safetensors file of a header and n zero bytes.
func st(header string, n int) []byte {
	data := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(data, header...), make([]byte, n)...)
}

func TestSafetensorsRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		data []byte
		want string // part of the error
	}{
		{"nothing", nil, "too short"},
		{"header longer than the file", st(`{}`, 0)[:9], "header of 2 bytes"},
		{"header length of 2^63", binary.LittleEndian.AppendUint64(nil, 1<<63), "header of"},
		{"a list", st(`[]`, 0), "not a JSON object"},
		{"no end", st(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}`, 1), "EOF"},
		{"overlap", st(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 3), `"b" at bytes 1 to 3`},
		{"hole", st(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), "want it to start at 0"},
		{"bytes at the end", st(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 2), "1 bytes belong to no tensor"},
		{"beyond the file", st(`{"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}}`, 2), "bytes 0 to 9"},
		{"backwards", st(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[2,1]}}`, 2), "bytes 2 to 1"},
		{"negative dimension", st(`{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}`, 1), "negative"},
		{"product beyond int64", st(`{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0), "too large"},
		{"shape of another size", st(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,2]}}`, 2), "does not take 2 bytes"},
		{"a name twice", st(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, 0), `"a" comes twice`},
		{"unknown type", st(`{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}`, 1), "F8_E4M3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseSafetensors(tt.data)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q in it", err, tt.want)
			}
		})
	}
}

func npyFile(dict string, n int) []byte {
	data := binary.LittleEndian.AppendUint16([]byte(npyMagic+"\x01\x00"), uint16(len(dict)))
	return append(append(data, dict...), make([]byte, n)...)
}

func TestNPYRefuses(t *testing.T) {
	t.Parallel()
	dict := func(descr, shape string) string {
		return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + shape + "), }\n"
	}
	tests := []struct {
		name string
		data []byte
		want string // part of the error
	}{
		{"nothing", nil, "not a npy file"},
		{"magic only", []byte(npyMagic), "not a npy file"},
		{"version 9", []byte(npyMagic + "\x09\x00\x00\x00\x00\x00\x00\x00"), "version 9"},
		{"header beyond the file", []byte(npyMagic + "\x02\x00\xff\xff\xff\xff"), "header of 4294967295 bytes"},
		{"code for a header", npyFile("__import__('os')", 0), "not the dict"},
		{"pickled objects", npyFile(dict("|O", "1,"), 8), `"|O"`},
		{"complex", npyFile(dict("<c8", "1,"), 8), `"<c8"`},
		{"too few elements", npyFile(dict("<f4", "3,"), 8), "does not take 8 bytes"},
		{"too many elements", npyFile(dict("<f4", "1,"), 8), "does not take 8 bytes"},
		{"product beyond int64", npyFile(dict("<f4", "4294967296, 4294967296"), 0), "too large"},
		{"dimension beyond int64", npyFile(dict("<f4", "9223372036854775808,"), 0), "out of range"},
		{"65 dimensions", npyFile(dict("<f4", strings.Repeat("1, ", 65)), 4), "65 dimensions"},
		{"strings of no width", npyFile(dict("<U0", "5,"), 0), "does not take 0 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseNPY(tt.data)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestParseNPZLimit(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/arrays.npz")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseNPZ(data, 1000); err == nil || !strings.Contains(err.Error(), "left") {
		t.Errorf("got error %v, want the limit", err)
	}
}

func FuzzParseNPY(f *testing.F) {
	for v := 1; v <= 3; v++ {
		data, err := os.ReadFile(fmt.Sprintf("testdata/v%d.npy", v))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ParseNPY(data)
		if err == nil && got.DType != String {
			if b, err := got.Bytes(); err != nil || len(b) > len(data) {
				t.Errorf("%d bytes, %v from a file of %d", len(b), err, len(data))
			}
		}
	})
}

func FuzzParseNPZ(f *testing.F) {
	data, err := os.ReadFile("testdata/arrays.npz")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = ParseNPZ(data, 1<<20)
	})
}

func FuzzParseSafetensors(f *testing.F) {
	data, err := os.ReadFile("testdata/arrays.safetensors")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSafetensors(data)
		if err == nil && len(s.Names) != len(s.Tensors) {
			t.Errorf("%d names, %d tensors", len(s.Names), len(s.Tensors))
		}
	})
}
