package tfjs

import (
	"fmt"
	"maps"
	"testing"

	"trilobite/onnx"
	"trilobite/tensor"
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

// FuzzConvert breaks sound models one node at a time, which arbitrary bytes seldom
// do: operations, inputs, attributes and weights trade places.
func FuzzConvert(f *testing.F) {
	cases := loadOps(f)
	for i := range cases {
		f.Add(byte(i), []byte{})
		f.Add(byte(i), []byte{0, 3, 9, 1, 4, 2, 2, 5, 7, 3, 6, 200, 4, 1, 1})
	}
	f.Fuzz(func(t *testing.T, which byte, edits []byte) {
		c := cases[int(which)%len(cases)]
		m, err := Read(c.Model, func(string, int64) ([]byte, error) { return c.Weights, nil })
		if err != nil {
			t.Fatal(err)
		}
		for ; len(edits) >= 3; edits = edits[3:] {
			edit(m, int(edits[0]), int(edits[1]), int(edits[2]))
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

// edit makes one change to a model, chosen by three numbers.
func edit(m *Model, what, a, b int) {
	n, other := m.Nodes[a%len(m.Nodes)], m.Nodes[b%len(m.Nodes)]
	w := m.Weights[n.Name]
	switch what % 8 {
	case 0:
		n.Op = other.Op
	case 1:
		if len(n.In) > 0 {
			n.In[b%len(n.In)] = other.Name
		}
	case 2:
		n.In = append(n.In, other.Name)
	case 3:
		if len(n.In) > 0 {
			n.In = n.In[:b%len(n.In)]
		}
	case 4:
		maps.Copy(n.Attrs, other.Attrs)
	case 5: // other sizes, positions and permutations
		if d, ok := rawInts(w); ok && len(d) > 0 {
			d[b%len(d)] = int32(b%11 - 3)
		}
	case 6:
		if d, ok := rawInts(w); ok && len(d) > 0 {
			d[b%len(d)] = int32(b) << 24
		}
	case 7: // fewer or more axes
		if w != nil && b%2 == 0 {
			w.Shape = append([]int64{1}, w.Shape...)
		} else if w != nil {
			w.Shape = []int64{w.Len()}
		}
	}
}

func rawInts(w *tensor.Tensor) ([]int32, bool) {
	if w == nil {
		return nil, false
	}
	return tensor.Data[int32](w)
}
