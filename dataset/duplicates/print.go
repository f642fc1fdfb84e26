// Package duplicates finds pictures that show the same: copies, also scaled, recompressed
// or slightly changed in colour, and frames of a film that hardly differ.
//
// A picture's Print is a difference hash (Krawetz, "Kind of Like That", hackerfactor.com,
// 2013: whether each of 8×8 grey levels is above its right neighbour) and a thumbnail of
// 16×16 grey levels. Prints whose hashes differ in few bits are looked for by pieces of
// the hash (Index), and then compared by their thumbnails, since hashes of pictures
// without contrast are noise.
package duplicates

import (
	"context"
	"crypto/sha256"
	"math"
	"math/bits"
	"os"

	"trilobite/imageio"
)

// thumb is a thumbnail's side, pixels.
const thumb = 16

// Print is what a picture is recognised by.
type Print struct {
	Sum   [sha256.Size]byte // of the file
	Hash  uint64
	Thumb [thumb * thumb]uint8
	W, H  int // pixels
}

// File returns the print of a picture, or why it cannot be decoded.
func File(ctx context.Context, path string) (*Print, error) {
	at, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if limit := imageio.DefaultLimits().Bytes; at.Size() > int64(limit) {
		_, err := imageio.ProbeFile(path) // has the words for it
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	head, err := imageio.Probe(data)
	if err != nil {
		return nil, err
	}
	img, err := imageio.Decode(ctx, data, imageio.Options{MinSide: 4 * thumb})
	if err != nil {
		return nil, err
	}
	p := &Print{Sum: sha256.Sum256(data), W: head.W, H: head.H}
	wide, err := grey(img, 9, 8)
	if err != nil {
		return nil, err
	}
	for y := range 8 {
		for x := range 8 {
			p.Hash <<= 1
			if wide[y*9+x] > wide[y*9+x+1] {
				p.Hash |= 1
			}
		}
	}
	small, err := grey(img, thumb, thumb)
	if err != nil {
		return nil, err
	}
	for i, v := range small {
		p.Thumb[i] = uint8(math.Round(v))
	}
	return p, nil
}

// grey returns the luma of the picture scaled to w×h (ITU-R BT.601).
func grey(img *imageio.Image, w, h int) ([]float64, error) {
	small, err := img.Resize(w, h, imageio.Area)
	if err != nil {
		return nil, err
	}
	out := make([]float64, w*h)
	for i := range out {
		p := small.Pix[3*i:]
		out[i] = 0.299*float64(p[0]) + 0.587*float64(p[1]) + 0.114*float64(p[2])
	}
	return out, nil
}

// The bounds below which two pictures are called near-duplicates; docs/datasets.md has
// the distances between pictures of real sets.
const (
	MaxBits = 6   // of 64 that may differ in the hashes
	MaxDiff = 8.0 // root mean square of the thumbnails' difference, of 255 levels, less that in brightness
)

// Alike reports whether two pictures show the same.
func Alike(a, b *Print) bool {
	return bits.OnesCount64(a.Hash^b.Hash) <= MaxBits && difference(a, b) <= MaxDiff
}

// difference is the root mean square by which the thumbnails differ, once they are
// equally bright.
func difference(a, b *Print) float64 {
	var sum, square float64
	for i, v := range a.Thumb {
		d := float64(v) - float64(b.Thumb[i])
		sum += d
		square += d * d
	}
	const n = thumb * thumb
	mean := sum / n
	return math.Sqrt(max(0, square/n-mean*mean))
}
