package duplicates

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/geom"
	"trilobite/imageio"
)

// scene is a picture of soft blobs, the same for a seed.
func scene(seed uint64) *imageio.Image {
	const w, h = 240, 180
	r := rand.New(rand.NewPCG(seed, 1))
	m := imageio.New(w, h)
	type blob struct{ x, y, size, level float64 }
	blobs := make([]blob, 12)
	for i := range blobs {
		blobs[i] = blob{w * r.Float64(), h * r.Float64(), 15 + 40*r.Float64(), 250 * (r.Float64() - 0.5)}
	}
	for y := range h {
		for x := range w {
			v := 128.0
			for _, b := range blobs {
				v += b.level * math.Exp(-((float64(x)-b.x)*(float64(x)-b.x)+(float64(y)-b.y)*(float64(y)-b.y))/(2*b.size*b.size))
			}
			for c := range 3 {
				m.Pix[3*(y*w+x)+c] = uint8(max(0, min(255, v)))
			}
		}
	}
	return m
}

func save(t *testing.T, m *imageio.Image, quality int) string {
	t.Helper()
	data, err := m.EncodeJPEG(quality)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.jpg")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestGroups(t *testing.T) {
	t.Parallel()
	first := scene(1)
	half, err := first.ResizeBox(geom.Box{X2: 240, Y2: 180}, 120, 90, imageio.Lanczos)
	if err != nil {
		t.Fatal(err)
	}
	brighter := imageio.New(240, 180)
	for i, v := range first.Pix {
		brighter.Pix[i] = uint8(min(255, int(v)+15))
	}
	mirrored := imageio.New(240, 180)
	for i := range 240 * 180 {
		copy(mirrored.Pix[3*i:3*i+3], first.Pix[3*(i-i%240+239-i%240):])
	}
	paths := []string{save(t, first, 95), save(t, scene(2), 95), save(t, first, 40), save(t, half, 90), save(t, brighter, 90), save(t, scene(3), 95), save(t, mirrored, 95), "nowhere.jpg"}
	prints, why, err := Files(t.Context(), paths, nil)
	if err != nil || why[7] == nil || prints[7] != nil {
		t.Fatalf("why %v, error %v", why, err)
	}
	if diff := cmp.Diff([][]int{{0, 2, 3, 4}}, Groups(prints)); diff != "" {
		t.Errorf("recompressed, smaller and brighter are the first picture (-want +got):\n%s", diff)
	}
}

// TestGroupsIsWhole compares the index with every pair.
func TestGroupsIsWhole(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 7))
	prints := make([]*Print, 2000)
	for i := range prints {
		prints[i] = &Print{Hash: r.Uint64()}
		if i > 0 && i%3 == 0 { // near another one
			prints[i].Hash = prints[r.IntN(i)].Hash
			for range r.IntN(MaxBits + 4) {
				prints[i].Hash ^= 1 << r.IntN(64)
			}
		}
		if i%50 == 0 {
			prints[i].Hash = 0 // blank
		}
	}
	parent := make([]int, len(prints))
	for i := range parent {
		parent[i] = i
		for k := range i {
			if Alike(prints[i], prints[k]) {
				from, to := parent[i], parent[k]
				for j := range i + 1 {
					if parent[j] == from {
						parent[j] = to
					}
				}
			}
		}
	}
	want := map[int]int{}
	for _, p := range parent {
		want[p]++
	}
	groups, in := 0, 0
	for _, n := range want {
		if n > 1 {
			groups, in = groups+1, in+n
		}
	}
	got := Groups(prints)
	found := 0
	for _, g := range got {
		found += len(g)
		for _, i := range g {
			if parent[i] != parent[g[0]] {
				t.Fatalf("%d and %d are in one group", i, g[0])
			}
		}
	}
	if len(got) != groups || found != in {
		t.Errorf("%d groups of %d pictures, want %d of %d", len(got), found, groups, in)
	}
}

func BenchmarkGroups(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	prints := make([]*Print, 100_000)
	for i := range prints {
		prints[i] = &Print{Hash: r.Uint64()}
	}
	for b.Loop() {
		Groups(prints)
	}
}
