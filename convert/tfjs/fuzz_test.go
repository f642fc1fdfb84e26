package tfjs

import (
	"fmt"
	"testing"

	"trilobite/onnx"
)

// FuzzRead reads and converts arbitrary model files: errors are fine, panics and
// graphs that contradict themselves are not.
func FuzzRead(f *testing.F) {
	for _, tt := range loadOps(f) {
		f.Add([]byte(tt.Model), tt.Weights)
	}
	f.Fuzz(func(t *testing.T, model, weights []byte) {
		m, err := Read(model, func(_ string, limit int64) ([]byte, error) {
			if int64(len(weights)) > limit {
				return nil, fmt.Errorf("more than %d bytes", limit)
			}
			return weights, nil
		})
		if err != nil {
			return
		}
		g, err := Convert(m, Options{})
		if err != nil {
			return
		}
		if err := onnx.Check(g); err != nil {
			t.Errorf("the converted graph is malformed: %v", err)
		}
	})
}
