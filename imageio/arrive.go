package imageio

// #include "vips.h"
import "C"

import (
	"errors"
	"sync/atomic"
)

// Steps change a picture while it is being decoded: what they add to the flow is computed
// on the rows that are there already.
type Steps interface{ Run(f *Flow) error }

// run carries steps out and computes what they made.
func (f *Flow) run(s Steps) (*Image, error) {
	if err := s.Run(f); err != nil {
		return nil, err
	}
	return f.Pixels()
}

// arrival is a picture that a goroutine of its own decodes, from the top down.
type arrival struct {
	img  *Image
	rows *C.tl_rows
	over chan struct{} // closed in the end
	err  error         // of the decoder; to be read when over is closed
}

// arrive begins to decode the file into pixels that are not turned yet. The file stays open
// until the arrival is over.
func (f *file) arrive(minSide int, stop *int32) (*arrival, error) {
	load, box := shrinks(f.header, minSide)
	if err := f.reopen(load); err != nil {
		return nil, err
	}
	im, err := f.source.lazy(box, needsProfile(f.source))
	if err != nil {
		return nil, err
	}
	a := &arrival{img: f.spare.image(sizeOf(im)), rows: C.tl_rows_new(), over: make(chan struct{})}
	go func() {
		defer close(a.over)
		defer C.tl_rows_reach(a.rows, -1)
		a.err = write(im, nil, a.img, stop, a.rows)
	}()
	return a, nil
}

// wait waits for the last row.
func (a *arrival) wait() error {
	<-a.over
	return a.err
}

// flow decodes the file on its way through steps.
func (f *file) flow(o Options, stop *int32) (*Image, error) {
	a, err := f.arrive(o.MinSide, stop)
	if err != nil {
		return nil, broken(f.header.Format, err)
	}
	defer func() {
		atomic.StoreInt32(stop, 1) // a step may have failed on the way
		<-a.over
		C.tl_rows_free(a.rows)
	}()
	flow := &Flow{FullW: f.header.W, FullH: f.header.H, from: a, stop: stop}
	defer flow.Close()
	if err = flow.begin(a.img, a.rows); err == nil {
		err = flow.Turn(upright[f.header.Orientation])
	}
	var img *Image
	if err == nil {
		img, err = flow.run(o.Steps)
	}
	if err == nil {
		return img, nil
	}
	atomic.StoreInt32(stop, 1)
	if failed := a.wait(); failed != nil && !errors.Is(failed, errStopped) { // steps wait for rows in vain then
		return nil, broken(f.header.Format, failed)
	}
	return nil, err
}
