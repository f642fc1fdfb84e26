package geom

import "testing"

func TestRect(t *testing.T) {
	t.Parallel()
	r := Rect{10, 20, 30, 40}
	if got, want := r.Box(), (Box{10, 20, 40, 60}); got != want {
		t.Errorf("Box() = %v, want %v", got, want)
	}
	if got := r.Box().Rect(); got != r {
		t.Errorf("there and back: %v, want %v", got, r)
	}
	if got := r.Area(); got != 1200 {
		t.Errorf("Area() = %v, want 1200", got)
	}
}
