package label

import (
	"context"
	"strings"
	"testing"

	"trilobite"
	"trilobite/imageio"
)

// TestPanics: what panics while an image is looked at is that image's error, wherever it
// ran; the stack names where it was.
func TestPanics(t *testing.T) {
	t.Parallel()
	broken := &model{} // neither detector nor classifier
	tests := []struct {
		name, at string
		run      func() error
	}{
		{"in the goroutine of a model", "(*model).look", func() error {
			_, err := ask(context.Background(), []*model{broken, broken}, imageio.New(8, 8), 0)
			return err
		}},
		{"in the caller's own", "Engine).Analyze", func() error {
			a, err := (&Engine{}).Analyze(context.Background(), nil, trilobite.AnalyzeParams{Labels: true})
			if a != nil {
				t.Errorf("an analysis of a panic: %+v", a)
			}
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.run()
			if err == nil || !strings.HasPrefix(err.Error(), "panic: ") || !strings.Contains(err.Error(), tt.at) {
				t.Fatalf("got %v, want a panic's stack with %s", err, tt.at)
			}
			if trilobite.CodeOf(err) != trilobite.Internal || strings.Contains(trilobite.Message(err), "panic") {
				t.Errorf("code %s, message %q: want internal, hidden", trilobite.CodeOf(err), trilobite.Message(err))
			}
		})
	}
}
