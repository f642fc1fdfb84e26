package trilobite_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers lists packages from the bottom up; docs/adr/0003-package-layout.md has the
// reasons. A package belongs to the longest prefix that matches.
var layers = [][]string{
	{"trilobite", "trilobite/atomicfile", "trilobite/geom", "trilobite/tensor", "trilobite/onnx"},
	{"trilobite/convert", "trilobite/grad", "trilobite/loss", "trilobite/optim", "trilobite/step", "trilobite/nn", "trilobite/offload", "trilobite/ort", "trilobite/imageio", "trilobite/augment", "trilobite/dataset", "trilobite/metric", "trilobite/taxonomy", "trilobite/deps", "trilobite/fetch", "trilobite/remote", "trilobite/objects", "trilobite/blobs", "trilobite/price", "trilobite/font"},
	{"trilobite/pipeline", "trilobite/detect", "trilobite/classify", "trilobite/segment", "trilobite/properties", "trilobite/zoo", "trilobite/export", "trilobite/quantize", "trilobite/custom", "trilobite/runs", "trilobite/modelfile", "trilobite/sample", "trilobite/train"},
	{"trilobite/serving", "trilobite/label", "trilobite/backup", "trilobite/gc", "trilobite/evaluate", "trilobite/auth", "trilobite/jobs", "trilobite/learn", "trilobite/store", "trilobite/telemetry", "trilobite/config", "trilobite/compare"},
	{"trilobite/api", "trilobite/server"},
	{"trilobite/cmd", "trilobite/bench", "trilobite/acceptance"},
}

// barred names imports that the layers allow and the design does not.
var barred = []struct{ from, to, why string }{
	{"trilobite/api/", "trilobite/store", "APIs translate; cmd names the store"},
	{"trilobite/api/", "trilobite/ort", "APIs see answers, not tensors"},
	{"trilobite/api/", "trilobite/label", "APIs ask through the interface they declare"},
	{"trilobite/api/rekognition", "trilobite/api/vision", "wire formats do not know each other"},
	{"trilobite/api/rekognition", "trilobite/api/native", "wire formats do not know each other"},
	{"trilobite/api/vision", "trilobite/api/rekognition", "wire formats do not know each other"},
	{"trilobite/api/vision", "trilobite/api/native", "wire formats do not know each other"},
	{"trilobite/api/native", "trilobite/api/rekognition", "wire formats do not know each other"},
	{"trilobite/api/native", "trilobite/api/vision", "wire formats do not know each other"},
	{"trilobite/api/container", "trilobite/api/", "wire formats do not know each other"},
	{"trilobite/api/vertex", "trilobite/api/vision", "wire formats do not know each other"},
	{"trilobite/api/vertex", "trilobite/api/native", "wire formats do not know each other"},
	{"trilobite/api/google", "trilobite/api/", "it is what Google's APIs share"},
	{"trilobite/api/inference", "trilobite/api/", "wire formats do not know each other"},
	{"trilobite/api/s3", "trilobite/api/", "wire formats do not know each other"},
	{"trilobite/server", "trilobite/api", "the server takes handlers"},
}

func TestImportsPointDown(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		from, ok := layer(p.ImportPath)
		if !ok {
			t.Errorf("%s is in no layer: name it in arch_test.go and in ADR 3", p.ImportPath)
		}
		for _, to := range p.Imports {
			if !strings.HasPrefix(to, "trilobite") {
				continue
			}
			if l, _ := layer(to); l > from {
				t.Errorf("%s (layer %d) imports %s (layer %d)", p.ImportPath, from, to, l)
			}
			for _, b := range barred {
				if strings.HasPrefix(p.ImportPath, b.from) && strings.HasPrefix(to, b.to) && !strings.HasPrefix(to, b.from) {
					t.Errorf("%s imports %s: %s", p.ImportPath, to, b.why)
				}
			}
		}
	}
}

type listed struct {
	ImportPath string
	Imports    []string
}

// packages asks the go command for this module's packages and their imports.
func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func layer(path string) (int, bool) {
	for i := range slices.Backward(layers) {
		for _, prefix := range layers[i] {
			if path == prefix || prefix != "trilobite" && strings.HasPrefix(path, prefix+"/") {
				return i, true
			}
		}
	}
	return 0, false
}
