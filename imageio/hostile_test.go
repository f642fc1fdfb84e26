package imageio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trilobite"
)

// dataFiles returns the files under the folders of $TRILOBITE_DATA, and skips the test
// where it is not set.
func dataFiles(t *testing.T, folders ...string) []string {
	t.Helper()
	root := os.Getenv("TRILOBITE_DATA")
	if root == "" {
		t.Skip("TRILOBITE_DATA is not set: the files of other projects' image tests are not here")
	}
	var files []string
	for _, f := range folders {
		err := filepath.WalkDir(filepath.Join(root, f), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// TestHostileFiles decodes every file that other projects collected to break decoders:
// each gives a picture or an error that names what is wrong, in less than 5 s.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	var slowest time.Duration
	var slow string
	codes := map[trilobite.Code]int{}
	for _, path := range dataFiles(t, "hostile", "formats") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		h, perr := Probe(data)
		img, err := Decode(context.Background(), data, Options{})
		if d := time.Since(begin); d > slowest {
			slowest, slow = d, path
		}
		if err := sameInSteps(data, img, err); err != nil {
			t.Errorf("%s: while it is decoded: %v", path, err)
		}
		code := trilobite.CodeOf(err)
		switch {
		case err == nil:
			codes["decoded"]++
			if perr != nil || h.W != img.W || h.H != img.H || len(img.Pix) != img.W*img.H*3 {
				t.Errorf("%s: header %dx%d (%v), image %dx%d with %d values", path, h.W, h.H, perr, img.W, img.H, len(img.Pix))
			}
		case code == trilobite.InvalidImage, code == trilobite.ImageTooLarge:
			codes[code]++
			if os.Getenv("VERBOSE") != "" {
				t.Log(strings.TrimPrefix(path, os.Getenv("TRILOBITE_DATA")), trilobite.Message(err), err)
			}
		default:
			t.Errorf("%s: %v", path, err)
		}
	}
	t.Logf("%v, slowest %v for %s", codes, slowest, filepath.Base(slow))
	if slowest > 5*time.Second {
		t.Errorf("%s took %v, more than 5 s", slow, slowest)
	}
}

// mirrored is a step that exchanges left and right.
type mirrored struct{}

func (mirrored) Run(f *Flow) error { return f.Turn(Turn{Mirror: true}) }

// sameInSteps decodes a file on its way through a step, and compares with what it is.
func sameInSteps(data []byte, want *Image, wantErr error) error {
	got, err := Decode(context.Background(), data, Options{Steps: mirrored{}})
	switch {
	case wantErr != nil && err != nil && trilobite.CodeOf(err) == trilobite.CodeOf(wantErr):
		return nil
	case wantErr != nil || err != nil:
		return fmt.Errorf("%w, want %w", err, wantErr)
	case !bytes.Equal(got.turned(Turn{Mirror: true}).Pix, want.Pix) || got.FullW != want.FullW || got.FullH != want.FullH:
		return errors.New("the pixels are others")
	}
	return nil
}

// TestOrientationPhotos checks that nine files of one scene, stored with the EXIF
// orientations 0 (invalid) to 8, come out as the same upright picture. Each has its
// number written on it, so the mean difference is held small, not the largest; a
// picture left lying would differ by more than 30.
func TestOrientationPhotos(t *testing.T) {
	t.Parallel()
	var first *Image
	for _, path := range dataFiles(t, "exif_orientation") {
		if filepath.Ext(path) != ".jpg" {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Decode(context.Background(), data, Options{MinSide: 100})
		if err != nil {
			t.Fatal(err)
		}
		if m, err = m.Resize(60, 40, Area); err != nil { // averages the compression away
			t.Fatal(err)
		}
		if first == nil {
			first = m
			if m.FullW <= m.FullH {
				t.Errorf("%s: %dx%d is no landscape", path, m.FullW, m.FullH)
			}
		}
		sum := 0
		for i := range m.Pix {
			sum += max(int(m.Pix[i])-int(first.Pix[i]), int(first.Pix[i])-int(m.Pix[i]))
		}
		mean := float64(sum) / float64(len(m.Pix))
		t.Logf("%s: %.2f away from the first", filepath.Base(path), mean)
		if m.FullW != first.FullW || m.FullH != first.FullH || mean > 4 {
			t.Errorf("%s: %dx%d, %.1f away from the first", path, m.FullW, m.FullH, mean)
		}
	}
}
