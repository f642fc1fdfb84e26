package imageio

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"
)

// resident returns the resident memory of this process in bytes (proc(5), statm).
func resident(t *testing.T) int {
	t.Helper()
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("no /proc here: ", err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(data))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// TestNoLeak decodes 2000 pictures, good and damaged, of every format; libvips must
// hold as much memory afterwards as before, and the process must not grow. It is not
// parallel: the counters are the process's.
func TestNoLeak(t *testing.T) { //nolint:paralleltest // see above
	files, _ := goldenFiles(t)
	round := func() {
		for _, data := range files {
			for _, d := range [][]byte{data, data[:len(data)*3/4]} {
				if img, err := Decode(context.Background(), d, Options{MinSide: 6}); err == nil {
					if _, err := img.EncodePNG(); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
	round() // what is allocated once: types, tables, fonts
	vips, rss := tracked(), resident(t)
	for range 2000 / (2 * len(files)) {
		round()
	}
	if now := tracked(); now != vips {
		t.Errorf("libvips holds %d bytes, %d before", now, vips)
	}
	if grown := resident(t) - rss; grown > 48<<20 {
		t.Errorf("the process grew by %d MB", grown>>20)
	} else {
		t.Logf("libvips holds %d bytes, the process grew by %d KB", vips, grown>>10)
	}
}
