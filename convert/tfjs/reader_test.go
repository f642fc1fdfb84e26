package tfjs

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"trilobite/tensor"
)

// files is a model of one node and the given manifest, with its shards.
func files(manifest string, shards map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{"m/model.json": {Data: []byte(`{"modelTopology":{"node":[{"name":"x","op":"Placeholder"}]},"weightsManifest":` + manifest + `}`)}}
	for name, data := range shards {
		fsys["m/"+name] = &fstest.MapFile{Data: []byte(data)}
	}
	return fsys
}

func TestWeights(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, weights string
		data          string
		want          any
	}{
		{"float32", `{"name":"w","shape":[2],"dtype":"float32"}`, "\x00\x00\x80\x3f\x00\x00\x00\xc0", []float32{1, -2}},
		{"int32", `{"name":"w","shape":[1],"dtype":"int32"}`, "\xff\xff\xff\xff", []int32{-1}},
		{"bool", `{"name":"w","shape":[2],"dtype":"bool"}`, "\x00\x01", []bool{false, true}},
		{"no elements", `{"name":"w","shape":[3,0],"dtype":"float32"}`, "", []float32{}},
		{"strings carry their lengths", `{"name":"w","shape":[2],"dtype":"string"}`, "\x01\x00\x00\x00a\x02\x00\x00\x00bc", []string{"a", "bc"}},
		{
			"uint8 is scaled", `{"name":"w","shape":[3],"dtype":"float32","quantization":{"dtype":"uint8","scale":0.5,"min":-1}}`,
			"\x00\x01\xff", []float32{-1, -0.5, 126.5},
		},
		{
			"uint16 is scaled", `{"name":"w","shape":[2],"dtype":"float32","quantization":{"dtype":"uint16","scale":0.25,"min":2}}`,
			"\x01\x00\xff\xff", []float32{2.25, 16385.75},
		},
		{
			"quantised integers are rounded", `{"name":"w","shape":[3],"dtype":"int32","quantization":{"dtype":"uint8","scale":0.5,"min":-1}}`,
			"\x00\x01\x03", []int32{-1, 0, 1},
		},
		{
			"float16, with subnormal and infinity", `{"name":"w","shape":[4],"dtype":"float32","quantization":{"dtype":"float16"}}`,
			"\x00\x3c\x00\xc0\x01\x00\x00\x7c", []float32{1, -2, 1.0 / (1 << 24), float32(math.Inf(1))},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			half := len(tt.data) / 2 // a weight may straddle two shards
			m, err := ReadFile(files(`[{"paths":["a","b"],"weights":[`+tt.weights+`]}]`,
				map[string]string{"a": tt.data[:half], "b": tt.data[half:]}), "m/model.json")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, m.Weights["w"].Raw()); diff != "" {
				t.Errorf("elements (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	t.Parallel()
	group := func(paths, weights string) string { return `[{"paths":[` + paths + `],"weights":[` + weights + `]}]` }
	tests := []struct {
		name, manifest, want string
	}{
		{"a shard above the folder", group(`"../secret"`, ``), "not a name beside"},
		{"an absolute shard", group(`"/etc/passwd"`, ``), "not a name beside"},
		{"a missing shard", group(`"none"`, ``), "none"},
		{"more elements than bytes", group(`"a"`, `{"name":"w","shape":[3],"dtype":"float32"}`), "needs more than the 2 elements"},
		{"a product that overflows", group(`"a"`, `{"name":"w","shape":[2147483647,2147483647,2147483647],"dtype":"float32"}`), "needs more than"},
		{"a negative axis", group(`"a"`, `{"name":"w","shape":[-1,-2],"dtype":"float32"}`), "impossible axis"},
		{"too many axes", group(`"a"`, `{"name":"w","shape":[1,1,1,1,1,1,1,1,1],"dtype":"float32"}`), "more than 8 axes"},
		{"bytes that belong to no weight", group(`"a"`, `{"name":"w","shape":[1],"dtype":"float32"}`), "4 bytes left"},
		{"an unknown type", group(`"a"`, `{"name":"w","shape":[1],"dtype":"complex64"}`), "complex64"},
		{"integers stored as halves", group(`"a"`, `{"name":"w","shape":[1],"dtype":"int32","quantization":{"dtype":"float16"}}`), "int32 stored as float16"},
		{"a string beyond the end", group(`"a"`, `{"name":"w","shape":[1],"dtype":"string"}`), "cut short"},
		{"one name twice", group(`"a"`, `{"name":"w","shape":[1],"dtype":"float32"},{"name":"w","shape":[1],"dtype":"float32"}`), "two weights"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := ReadFile(files(tt.manifest, map[string]string{"a": "\xff\xff\xff\xff\x00\x00\x00\x00"}), "m/model.json")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
	for name, text := range map[string]string{
		"a Keras layers model": `{"format":"layers-model","modelTopology":{"model_config":{}}}`,
		"no nodes":             `{"modelTopology":{"node":[]}}`,
		"a name twice":         `{"modelTopology":{"node":[{"name":"x","op":"A"},{"name":"x","op":"A"}]}}`,
		"cut short":            `{"modelTopology":`,
	} {
		if _, err := Read([]byte(text), nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Converters have written protobuf's JSON in two spellings.
func TestAttrs(t *testing.T) {
	t.Parallel()
	want := Attrs{
		"pad": "SAME", "n": int64(4), "eps": 0.5, "flag": true, "T": tensor.Float32,
		"strides": []int64{1, 2}, "ops": []string{"BiasAdd", "Relu"}, "shape": []int64{-1, 3}, "any": []int64(nil),
	}
	for name, text := range map[string]string{
		"numbers and bytes": `{"pad":{"s":[83,65,77,69]},"n":{"i":4},"eps":{"f":0.5},"flag":{"b":true},"T":{"type":1},
			"strides":{"list":{"s":[],"i":[1,2],"f":[]}},"ops":{"list":{"s":[[66,105,97,115,65,100,100],[82,101,108,117]]}},
			"shape":{"shape":{"dim":[{"size":-1},{"size":3}]}},"any":{"shape":{"unknownRank":true}}}`,
		"strings and base64": `{"pad":{"s":"U0FNRQ=="},"n":{"i":"4"},"eps":{"f":"0.5"},"flag":{"b":true},"T":{"type":"DT_FLOAT"},
			"strides":{"list":{"i":["1","2"]}},"ops":{"list":{"s":["Qmlhc0FkZA==","UmVsdQ=="]}},
			"shape":{"shape":{"dim":[{"size":"-1"},{"size":"3"}]}},"any":{"shape":{"unknownRank":true}}}`,
	} {
		var raw map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &raw); err != nil {
			t.Fatal(err)
		}
		got, err := parseAttrs(raw)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestReadCocoSSD(t *testing.T) {
	t.Parallel()
	m, err := ReadFile(os.DirFS(cocoSSD(t)), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Nodes) != 641 || len(m.Weights) != 262 {
		t.Errorf("%d nodes and %d weights, want 641 and 262", len(m.Nodes), len(m.Weights))
	}
	got, _ := tensor.Data[float32](m.Weights["Preprocessor/mul/x"])
	if len(got) != 1 || got[0] != 1/float32(127.5) {
		t.Errorf("Preprocessor/mul/x = %v, want 1/127.5", got)
	}
}

// cocoSSD returns the folder that make build fetches COCO-SSD into.
func cocoSSD(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
	}
	dir = filepath.Join(dir, ".deps", "coco-ssd")
	if _, err := os.Stat(dir); err != nil {
		t.Fatal("no .deps/coco-ssd (run `make deps`)")
	}
	return dir
}
