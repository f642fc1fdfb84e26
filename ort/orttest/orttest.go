// Package orttest loads small graphs for tests that need a real model.
package orttest

import (
	"testing"

	"trilobite/onnx"
	"trilobite/ort"
)

// Load checks g, loads it on two cores and closes it with the test.
func Load(t testing.TB, g *onnx.Graph) *ort.Model {
	t.Helper()
	if err := onnx.Check(g); err != nil {
		t.Fatal(err)
	}
	data, err := onnx.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	rt, err := ort.OpenCores("", 2)
	if err != nil {
		t.Fatal(err)
	}
	m, err := rt.LoadBytes(t.Context(), data, ort.Options{Name: g.Name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// Build is Load of what b builds.
func Build(t testing.TB, b *onnx.Builder) *ort.Model {
	t.Helper()
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return Load(t, g)
}
