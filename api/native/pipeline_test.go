package native_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"trilobite/api/native"
	"trilobite/serving/servingtest"
)

func withPipelines(t *testing.T) *native.Handler {
	t.Helper()
	r, _ := servingtest.Open(t, 0)
	return native.New(native.Config{Analyzer: analyzer{}, Models: r, Pipelines: r, Log: slog.New(slog.DiscardHandler)})
}

func TestPipeline(t *testing.T) {
	t.Parallel()
	h := withPipelines(t)
	const at = "/api/v1/models/tint/pipeline"
	check := func(p native.Pipeline, revision, revisions, steps int, text string) {
		t.Helper()
		list, _ := p.Pipeline["steps"].([]any)
		if p.Model != "tint@1" || p.Revision != revision || len(p.Revisions) != revisions || len(list) != steps || p.Text != text || p.Pipeline["width"] != 16.0 {
			t.Fatalf("%+v; want revision %d of %d with %d steps and %q", p, revision, revisions, steps, text)
		}
	}
	answers := func(want string) {
		t.Helper()
		if got := decode[native.Predicted](t, ask(t, h, "tint/classify", "")); got.Classes[0].Label != want {
			t.Errorf("%s, want %s", got.Classes[0].Label, want)
		}
	}
	check(decode[native.Pipeline](t, do(h, "GET", at, "", "")), 0, 0, 0, "")
	answers("blue")
	const left = "steps:\n  - crop: {box: [0, 0, 16, 20]}\n" // red alone
	check(decode[native.Pipeline](t, do(h, "PUT", at+"?source=a/left.yaml", "application/yaml", left)), 1, 1, 1, left)
	answers("red")
	const asJSON = `{"steps": ["greyscale", {"gamma": 2}]}`
	p := decode[native.Pipeline](t, do(h, "PUT", at, "application/json", asJSON))
	check(p, 2, 2, 2, asJSON)
	if r := p.Revisions[1]; r.Before != 1 || r.Source != "request" || p.Revisions[0].Source != "left.yaml" || r.Created.IsZero() {
		t.Errorf("revisions %+v", p.Revisions)
	}
	check(decode[native.Pipeline](t, do(h, "GET", at+"?revision=1", "", "")), 2, 2, 2, left)
	check(decode[native.Pipeline](t, do(h, "POST", at+"/rollback", "", "")), 1, 2, 1, left)
	answers("red")
	check(decode[native.Pipeline](t, do(h, "POST", at+"/rollback", "", "")), 0, 2, 0, "")
	answers("blue")
}

func TestPipelineRefused(t *testing.T) {
	t.Parallel()
	h := withPipelines(t)
	for name, tt := range map[string]struct {
		method, path, body string
		status             int
		says               string
	}{
		"an unknown step":              {"PUT", "tint/pipeline?source=dusk.yaml", "steps:\n  - greyscale\n  - grayscael\n", 400, `dusk.yaml: line 3: unknown step`},
		"a size of nothing":            {"PUT", "tint/pipeline", "steps:\n  - resize: {width: 0, height: 5}\n", 400, `request: line 2: resize: the size is 0×5`},
		"a crop of nothing":            {"PUT", "tint/pipeline", "steps: [{crop: {box: [5, 5, 5, 9]}}]", 400, `line 1: crop: box [5 5 5 9] has no size`},
		"not even YAML":                {"PUT", "tint/pipeline", "steps: [", 400, `line 1`},
		"what a mask cannot be of":     {"PUT", "rgb/pipeline", "steps:\n  - tile: {width: 64, height: 64, overlap: 8, whole: true}\n", 400, `line 2: tile: whole`},
		"a part of the image, masked":  {"PUT", "rgb/pipeline", "resize: centre-crop\n", 400, `resize is "centre-crop"`},
		"a file without end":           {"PUT", "tint/pipeline", strings.Repeat("# nothing\n", 30_000), 400, "at most 262144 bytes"},
		"a model that is not there":    {"PUT", "none/pipeline", "steps: []", 404, "none"},
		"a version that is not there":  {"GET", "tint@7/pipeline", "", 404, "tint@7"},
		"a revision that is not there": {"GET", "tint/pipeline?revision=7", "", 404, "revision 7"},
		"a revision that is no number": {"GET", "tint/pipeline?revision=x", "", 422, "revision"},
		"nothing to go back to":        {"POST", "tint/pipeline/rollback", "", 400, "nothing is before it"},
	} {
		w := do(h, tt.method, "/api/v1/models/"+tt.path, "application/yaml", tt.body)
		if w.Code != tt.status || !strings.Contains(strings.ReplaceAll(w.Body.String(), `\"`, `"`), tt.says) {
			t.Errorf("%s: %d %s, want %d that says %q", name, w.Code, w.Body, tt.status, tt.says)
		}
	}
	if p := decode[native.Pipeline](t, do(h, http.MethodGet, "/api/v1/models/tint/pipeline", "", "")); p.Revision != 0 || len(p.Revisions) != 0 {
		t.Errorf("a refused pipeline is there: %+v", p)
	}
	doc := do(h, http.MethodGet, "/api/v1/openapi.json", "", "").Body.String()
	for _, id := range []string{"getPipeline", "setPipeline", "rollbackPipeline", "application/yaml"} {
		if !strings.Contains(doc, id) {
			t.Errorf("the OpenAPI document does not have %s", id)
		}
	}
}
