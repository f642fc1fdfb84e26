package imageio

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
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

// held returns the bytes that libvips holds: the least of a second's looks, for its
// threads free what they worked with after the picture is there.
func held() int {
	least := tracked()
	for end := time.Now().Add(time.Second); least > 0 && time.Now().Before(end); least = min(least, tracked()) {
		time.Sleep(10 * time.Millisecond)
	}
	return least
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
	vips, rss := held(), resident(t)
	for range 2000 / (2 * len(files)) {
		round()
	}
	if now := held(); now != vips {
		t.Errorf("libvips holds %d bytes, %d before", now, vips)
	}
	if grown := resident(t) - rss; grown > 48<<20 {
		t.Errorf("the process grew by %d MB", grown>>20)
	} else {
		t.Logf("libvips holds %d bytes, the process grew by %d KB", vips, grown>>10)
	}
}

// widePNG returns a PNG of 16000×1600 pixels in stripes.
func widePNG(t *testing.T) []byte {
	t.Helper()
	m := image.NewPaletted(image.Rect(0, 0, 16_000, 1600), color.Palette{color.Black, color.White})
	for i := range m.Pix {
		m.Pix[i] = uint8(i >> 5 & 1)
	}
	var file bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&file, m); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// TestLargeDecodesGiveBack decodes wide pictures side by side, of which each takes more
// than 100 MB in the decoder, and looks at what the process keeps: the C library would
// hold it for each of the threads that took part. What is kept goes up and down by tens
// of megabytes with what the threads happen to do last, so the least of some rounds
// counts. It is not parallel: see above.
func TestLargeDecodesGiveBack(t *testing.T) { //nolint:paralleltest // see above
	file := widePNG(t)
	debug.FreeOSMemory()
	before := resident(t)
	g := NewGate(512<<20, 16)
	least := math.MaxInt
	for range 4 {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				_, release, err := g.Decode(context.Background(), file, Options{MinSide: 300})
				if err != nil {
					t.Error(err)
					return
				}
				release()
			})
		}
		wg.Wait()
		debug.FreeOSMemory()
		least = min(least, resident(t)-before)
	}
	if least > 128<<20 {
		t.Errorf("the process kept %d MB", least>>20)
	} else {
		t.Logf("the process kept %d KB", least>>10)
	}
}
