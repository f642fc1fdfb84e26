package main

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress is a bar whose work changes as it goes: what is done, how much of it, and a
// text. Where there is no terminal it writes its lines alone.
type progress struct {
	w    io.Writer
	p    *mpb.Progress
	b    *mpb.Bar
	what *atomic.Pointer[[2]string] // left of the bar, with the count, and right of it
}

func newProgress(w io.Writer) progress {
	g := progress{w: w, what: &atomic.Pointer[[2]string]{}}
	g.what.Store(&[2]string{})
	if f, ok := w.(*os.File); !ok || !isTerminal(f) {
		return g
	}
	g.p = mpb.New(mpb.WithOutput(w))
	left := func(decor.Statistics) string { return g.what.Load()[0] + " " }
	right := func(decor.Statistics) string { return " " + g.what.Load()[1] }
	g.b = g.p.AddBar(0, mpb.PrependDecorators(decor.Any(left)),
		mpb.AppendDecorators(decor.Any(right)), mpb.BarRemoveOnComplete())
	return g
}

// set moves the bar.
func (g progress) set(what string, done, all int64, text string) {
	if g.b == nil {
		return
	}
	g.what.Store(&[2]string{fmt.Sprintf("%s %d / %d", what, done, all), text})
	g.b.SetTotal(max(all, done)+1, false) // never complete by itself: more may follow
	g.b.SetCurrent(done)
}

// line writes a line above the bar.
func (g progress) line(text string) {
	if g.p != nil {
		fmt.Fprintln(g.p, text)
	} else if g.w != nil {
		fmt.Fprintln(g.w, text)
	}
}

func (g progress) end() {
	if g.p != nil {
		g.b.Abort(true)
		g.p.Wait()
	}
}
