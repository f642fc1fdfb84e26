package imageio

import (
	"context"
	"testing"
	"testing/synctest"

	"trilobite"
)

func TestGate(t *testing.T) {
	t.Parallel()
	files, _ := goldenFiles(t)
	data := files["jpeg"]
	h, err := Probe(data)
	if err != nil {
		t.Fatal(err)
	}
	peak, _ := h.memory(0)

	t.Run("never fits", func(t *testing.T) {
		t.Parallel()
		_, _, err := NewGate(peak-1, 10).Decode(context.Background(), data, Options{})
		if trilobite.CodeOf(err) != trilobite.ImageTooLarge {
			t.Errorf("got %v, want ImageTooLarge", err)
		}
	})
	t.Run("never fits with the copies that are made of it", func(t *testing.T) {
		t.Parallel()
		g := NewGate(peak, 10)
		if _, _, err := g.Decode(context.Background(), data, Options{Copies: 100_000}); trilobite.CodeOf(err) != trilobite.ImageTooLarge {
			t.Fatalf("got %v, want ImageTooLarge", err)
		}
		_, release, err := g.Decode(context.Background(), data, Options{Copies: 1})
		if err != nil {
			t.Fatal(err)
		}
		if release(); !g.sem.TryAcquire(peak) {
			t.Error("memory was not given back")
		}
	})
	t.Run("throttled when the queue is full, served when memory is released", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			g := NewGate(peak, 1) // the pixels of one decoded picture keep the next one out
			_, release, err := g.Decode(t.Context(), data, Options{})
			if err != nil {
				t.Fatal(err)
			}
			waited := make(chan error)
			go func() {
				_, release, err := g.Decode(t.Context(), data, Options{})
				if err == nil {
					release()
				}
				waited <- err
			}()
			synctest.Wait()
			if _, _, err := g.Decode(t.Context(), data, Options{}); trilobite.CodeOf(err) != trilobite.Throttled {
				t.Errorf("third picture: %v, want Throttled", err)
			}
			release()
			release() // a second call does nothing
			if err := <-waited; err != nil {
				t.Errorf("second picture: %v", err)
			}
			if !g.sem.TryAcquire(peak) {
				t.Error("memory was not given back")
			}
		})
	})
	t.Run("canceled in the queue", func(t *testing.T) {
		t.Parallel()
		g := NewGate(peak, 1)
		_, release, err := g.Decode(context.Background(), data, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, _, err := g.Decode(ctx, data, Options{}); trilobite.CodeOf(err) != trilobite.Canceled {
			t.Errorf("got %v, want Canceled", err)
		}
	})
	t.Run("a damaged file gives its memory back", func(t *testing.T) {
		t.Parallel()
		g := NewGate(peak, 0)
		if _, _, err := g.Decode(context.Background(), data[:len(data)/2], Options{}); trilobite.CodeOf(err) != trilobite.InvalidImage {
			t.Errorf("got %v, want InvalidImage", err)
		}
		if !g.sem.TryAcquire(peak) {
			t.Error("memory was not given back")
		}
	})
}
