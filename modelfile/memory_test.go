package modelfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMemory: a step of the whole network keeps more than one of the head, and what does
// not fit is said with its line.
func TestMemory(t *testing.T) {
	t.Parallel()
	text, err := Init("deeplabv3plus", "", []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "m.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Parse(path, text)
	if err != nil {
		t.Fatal(err)
	}
	n, err := s.Build(0)
	if err != nil {
		t.Fatal(err)
	}
	weights, picture := s.Memory(n)
	whole := *s
	whole.Training.Stages = append(whole.Training.Stages[:1:1], Stage{Unfreeze: "10"})
	if w, p := whole.Memory(n); w <= weights || p <= picture || w != 4*Describe(n).Weights || p != Describe(n).Activations {
		t.Errorf("the whole network keeps %d and %d bytes, the head %d and %d", w, p, weights, picture)
	}
	for _, tt := range []struct {
		name  string
		bytes int64
		want  string
	}{
		{"all fits", weights + 4*picture, ""},
		{"three of four pictures", weights + 4*picture - 1, "training.batch: 4 pictures of 384×288 need 0.3 GB in a step"},
		{"no picture", weights, "preprocessing.width: one picture of 384×288 needs"},
		{"not the parameters", weights - 1, "network: its parameters need"},
	} {
		err := s.CheckMemory(path, n, tt.bytes)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), path+":")) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}
