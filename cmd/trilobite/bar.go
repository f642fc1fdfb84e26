package main

import (
	"io"
	"os"

	"github.com/mattn/go-isatty"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// manyImages is from how many images on a progress bar is worth showing.
const manyImages = 8

// bar is a progress bar with count, rate and time left, or nothing where there is no
// terminal or little to do.
type bar struct {
	p *mpb.Progress
	b *mpb.Bar
	w io.Writer
}

func newBar(w io.Writer, n int) bar {
	f, ok := w.(*os.File)
	if !ok || n < manyImages || !isTerminal(f) {
		return bar{w: w}
	}
	p := mpb.New(mpb.WithOutput(w))
	return bar{w: w, p: p, b: p.AddBar(int64(n),
		mpb.PrependDecorators(decor.CountersNoUnit("%d / %d images")),
		mpb.AppendDecorators(decor.AverageSpeed(0, "%.1f images/s "), decor.AverageETA(decor.ET_STYLE_GO)),
		mpb.BarRemoveOnComplete())}
}

func (b bar) step() {
	if b.b != nil {
		b.b.Increment()
	}
}

// beside writes a message without tearing the bar.
func (b bar) beside(write func(io.Writer)) {
	if b.p != nil {
		write(b.p)
		return
	}
	write(b.w)
}

func (b bar) done() {
	if b.p != nil {
		b.b.Abort(true)
		b.p.Wait()
	}
}

// isTerminal reports whether f is one; /dev/null is a character device and none.
func isTerminal(f *os.File) bool { return isatty.IsTerminal(f.Fd()) }
