package ort

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestTable compares the places in capi.go's table with the header that the binding
// brings: the order of OrtApi is its order of declarations.
func TestTable(t *testing.T) {
	t.Parallel()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/yalue/onnxruntime_go").Output()
	if err != nil {
		t.Fatal(err)
	}
	header, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "onnxruntime_c_api.h"))
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(header), "struct OrtApi {")
	body, _, _ = strings.Cut(body, "\n};")
	body = regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(body, "")
	body = regexp.MustCompile(`//.*`).ReplaceAllString(body, "")
	place := map[string]int{}
	declared := regexp.MustCompile(`ORT_API2_STATUS\((\w+)|ORT_CLASS_RELEASE\((\w+)\)|\(ORT_API_CALL\s*\*\s*(\w+)\)|ORT_API_T\([^,]*,\s*(\w+)`)
	for i, m := range declared.FindAllStringSubmatch(body, -1) {
		name := m[1] + m[3] + m[4]
		if m[2] != "" {
			name = "Release" + m[2]
		}
		place[name] = i
	}
	source, err := os.ReadFile("capi.go")
	if err != nil {
		t.Fatal(err)
	}
	used := regexp.MustCompile(`table\[(\d+)\].*// (\w+)`).FindAllStringSubmatch(string(source), -1)
	if len(used) < 10 {
		t.Fatalf("found %d uses of the table, want all of them", len(used))
	}
	for _, m := range used {
		if got := strconv.Itoa(place[m[2]]); got != m[1] {
			t.Errorf("%s is called at %s, the header has it at %s", m[2], m[1], got)
		}
	}
}

func TestHandles(t *testing.T) {
	t.Parallel()
	s := quadratic(t, open(t), Options{})
	o, err := s.s.options()
	if err != nil {
		t.Fatal(err)
	}
	defer s.s.recycle(o)
	for name, p := range map[string]any{"session": handle(s.s.s, "s", "ortSession"), "options": handle(o, "o"), "binding": handle(s.ways[0], "o")} {
		if p == nil {
			t.Errorf("the binding's %s has changed: no pointer found", name)
		}
	}
}
