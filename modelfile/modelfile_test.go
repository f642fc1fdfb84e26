package modelfile

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestInit builds every kind of file on several backbones as it is written.
func TestInit(t *testing.T) {
	t.Parallel()
	for _, kind := range Kinds() {
		for _, backbone := range []string{"", "resnet18", "resnet50_keras"} {
			t.Run(kind+" "+backbone, func(t *testing.T) {
				t.Parallel()
				text, err := Init(kind, backbone, []string{"sky", "no", "road: wide # grey", "1", "- 日本"})
				if err != nil {
					t.Fatal(err)
				}
				s, err := Parse("model.yaml", text)
				if err != nil {
					t.Fatalf("%v\n%s", err, text)
				}
				if len(s.Classes) != 5 || s.Classes[1] != "no" || s.Classes[2] != "road: wide # grey" {
					t.Errorf("classes %q", s.Classes)
				}
				n, err := s.Build(0)
				if err != nil {
					t.Fatal(err)
				}
				d := Describe(n)
				var sum int64
				for _, p := range n.Params {
					sum += p.Data.Len()
				}
				if d.Parameters != sum || d.MACs < 1e6 || len(d.Blocks) < 5 {
					t.Errorf("%d parameters of %d, %d MACs, %d blocks", d.Parameters, sum, d.MACs, len(d.Blocks))
				}
				for dec := xml.NewDecoder(bytes.NewReader(d.Draw())); ; {
					if _, err := dec.Token(); errors.Is(err, io.EOF) {
						break
					} else if err != nil {
						t.Fatalf("SVG: %v", err)
					}
				}
			})
		}
	}
}

// TestJSON: a file is the same again after it was kept as JSON.
func TestJSON(t *testing.T) {
	t.Parallel()
	for _, kind := range Kinds() {
		text, err := Init(kind, "", []string{"a", "b"})
		if err != nil {
			t.Fatal(err)
		}
		text = bytes.Replace(text, []byte("preprocessing:\n"), []byte("preprocessing:\n  steps: [equalise, {denoise: {median: 3}}]\n"), 1)
		s, err := Parse("m", text)
		if err != nil || len(s.Preprocessing.Steps) != 2 {
			t.Fatal(err)
		}
		for i := range s.Preprocessing.Steps {
			s.Preprocessing.Steps[i].Line = 1 // JSON has one
		}
		data, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var again Spec
		if err := json.Unmarshal(data, &again); err != nil || !reflect.DeepEqual(*s, again) {
			t.Errorf("%s: %v\n%+v\nis not\n%+v", kind, err, again, *s)
		}
		if bytes.Contains(data, []byte("rotate")) || !bytes.Contains(data, []byte(`"horizontal_flip":0.5`)) {
			t.Errorf("%s: %s", kind, data)
		}
	}
}

// TestMACs compares with the papers' and torchvision's figures for 224×224 and 1000 classes.
func TestMACs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		backbone string
		macs     float64 // torchvision, "GFLOPS" of the weights' documentation
	}{{"resnet18", 1.814e9}, {"resnet50", 4.089e9}, {"mobilenet_v2", 0.301e9}} {
		text, err := Init("classifier", tt.backbone, nil)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse("m", text)
		if err != nil {
			t.Fatal(err)
		}
		n, err := s.Build(1000)
		if err != nil {
			t.Fatal(err)
		}
		if got := float64(Describe(n).MACs); got < tt.macs*0.995 || got > tt.macs*1.005 {
			t.Errorf("%s: %.4g multiply-adds, torchvision says %.4g", tt.backbone, got, tt.macs)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	good, err := Init("deeplabv3plus", "", []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, old, new string
		want           string
	}{
		{"unknown field", "  lr: 0.005", "  lrr: 0.002", `training.stages[0].lrr: there is no such field; did you mean "lr"?`},
		{"unknown network", "network: deeplabv3plus", "network: deeplab3plus", `did you mean "deeplabv3plus"?`},
		{"unknown backbone", "name: efficientnet_lite0", "name: efficentnet_lite0", `did you mean "efficientnet_lite0"?`},
		{"a word for a number", "batch: 4", "batch: four", `training.batch: is "four", want a whole number`},
		{"out of range", "horizontal_flip: 0.5", "horizontal_flip: 50", "augmentation.horizontal_flip: is 50, want 0 to 1"},
		{"not a number", "lr: 0.005", "lr: .nan", "training.stages[0].lr: is .nan, want 0 to 100"},
		{"a list for fields", "head:\n", "head: [1]\nbackground:\n", "head: is a list, want fields (channels"},
		{"twice", "task: segment", "task: segment\ntask: detect", "twice"},
		{"alias", "batch: 4", "batch: &x 4\n  ema: *x", "anchors and aliases are not read"},
		{"a tap near a stride", "  # taps: [stride4, stride16]", "  taps: [strid16]", "backbone.taps[0]: there is no tap \"strid16\": the nearest of 148 are stride16"},
		{"a stride that the backbone lacks", "low: [8, 4]", "low: [8, 5]", "head.low[1]: there is no tap \"stride5\""},
		{"the beginning of a name", "network: deeplabv3plus", "network: deeplab", `did you mean "deeplabv3plus"?`},
		{"a class twice", "  - b\n", "  - b\n  - a\n", `classes[2]: "a" is there twice`},
		{"another task", "task: segment", "task: detect", "network deeplabv3plus is for task segment"},
		{"input without width", "  width: 384\n", "", "width is 0"},
		{"bad pattern", "      epochs: 20", "      epochs: 20\n      unfreeze: '('", "unfreeze"},
		{"no YAML", "task: segment", "task: [", "model.yaml:5: "},
		{"unknown step", "preprocessing:\n", "preprocessing:\n  steps:\n    - greyscale\n    - croop: {centre: [9, 9]}\n", `preprocessing.steps[1]: unknown step "croop"; did you mean "crop"?`},
		{"a step of no size", "preprocessing:\n", "preprocessing:\n  steps: [{crop: {box: [1, 1, 1, 9]}}]\n", "preprocessing.steps[0]: crop: box [1 1 1 9] has no size"},
		{"tiles", "preprocessing:\n", "preprocessing:\n  steps: [{tile: {width: 64, height: 64, overlap: 8}}]\n", "preprocessing.steps: tile is for answers"},
		{"empty", string(good), "", "it is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(string(good), tt.old, tt.new, 1)
			if text == string(good) {
				t.Fatalf("%q is not in the file", tt.old)
			}
			_, err := Parse("model.yaml", []byte(text))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "model.yaml") {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if p, ok := errors.AsType[FileError](err); ok && p.Path != "" && p.Line == 0 {
				t.Errorf("no line: %v", err)
			}
		})
	}
}

// TestSchema compares the schema with Spec, both ways: each field has its description
// and nothing else is allowed.
func TestSchema(t *testing.T) {
	t.Parallel()
	data, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	var walk func(path string, s map[string]any, typ reflect.Type)
	walk = func(path string, s map[string]any, typ reflect.Type) {
		switch s["type"] {
		case "array":
			walk(path+"[]", s["items"].(map[string]any), typ.Elem())
		case "object":
			properties := s["properties"].(map[string]any)
			if len(properties) != len(fieldNames(typ)) || s["additionalProperties"] != false {
				t.Errorf("%s has %d properties, the struct %d fields", path, len(properties), len(fieldNames(typ)))
			}
			for name, p := range properties {
				f, ok := field(typ, name)
				if !ok {
					t.Errorf("%s.%s is no field", path, name)
					continue
				}
				if typ.PkgPath() == "trilobite/modelfile" && p.(map[string]any)["description"] == nil {
					t.Errorf("%s.%s has no description", path, name)
				}
				walk(path+"."+name, p.(map[string]any), f.Type)
			}
		}
	}
	walk("", root, reflect.TypeFor[Spec]())
	if !bytes.Contains(data, []byte(`"one-cycle"`)) || !bytes.Contains(data, []byte(`"resnet50"`)) {
		t.Error("words are missing")
	}
}

func FuzzParse(f *testing.F) {
	text, err := Init("unet", "", []string{"a", "b"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = Parse("x", data) })
}

// TestDraw: the blocks of a branch each have a box, a name that does not fit shows its end,
// and shapes that are computed are no connections.
func TestDraw(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string][]string{
		"deeplabv3plus": {">head.aspp.0<", ">head.aspp.3<", "432 × 18 × 24"},
		"detector":      {">… cls_logits<", "head.classification_head.cls_logits", ">fpn.layer_blocks.2<"},
	} {
		text, err := Init(kind, "", []string{"a", "b"})
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse("model.yaml", text)
		if err != nil {
			t.Fatal(err)
		}
		n, err := s.Build(0)
		if err != nil {
			t.Fatal(err)
		}
		d := Describe(n)
		picture := string(d.Draw())
		for _, w := range want {
			if !strings.Contains(picture, w) {
				t.Errorf("%s: no %q", kind, w)
			}
		}
		for _, b := range d.Blocks {
			if strings.HasPrefix(b.Name, "head.") && slices.Contains(b.From, 0) {
				t.Errorf("%s: %s reads the first block", kind, b.Name)
			}
		}
	}
}
