package learn

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"trilobite"
	"trilobite/augment"
	"trilobite/dataset"
	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/pipeline"
	"trilobite/sample"
	"trilobite/tensor"
	"trilobite/train"
)

// features are what a frozen part of a network says of each image.
type features struct {
	rows [][]*tensor.Tensor // by image, then version: as it is, then changed ones; (1, …). Nil: unreadable
}

// change says which changed versions of an image there are beside it as it is.
type change struct {
	plan     augment.Plan
	versions int // of a plan that does more than to mirror, of which there is one
}

// count is how many versions there are in all.
func (c change) count() int {
	if c.plan.Nothing() {
		return 1
	}
	return 1 + max(c.versions, 1)
}

// extract computes the features of images, and of their changed versions, by g of one
// output. told hears how many are done; its error ends it. Each run takes one core, so
// that features do not depend on what else the machine does.
func (e *Engine) extract(ctx context.Context, g *onnx.Graph, spec pipeline.Spec, images []dataset.Image, c change, told func(done int) error) (*features, error) {
	data, err := onnx.Marshal(g)
	if err != nil {
		return nil, err
	}
	o := e.Options
	o.Name, o.MaxQueue = "features of "+g.Name, 1<<20
	defer e.Runtime.Announce()()
	defer e.Runtime.Announce()()
	m, err := e.Runtime.LoadBytes(ctx, data, o)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	v, err := sample.NewVersions(&dataset.Set{Images: images}, spec, sample.Options{
		Task: sample.Classify, Augment: c.plan, Versions: c.versions, Seed: seed, Limits: e.Limits,
	})
	if err != nil {
		return nil, err
	}
	f := &features{rows: make([][]*tensor.Tensor, len(images))}
	var done atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(e.Runtime.Cores())
	for i := range images {
		group.Go(func() (err error) {
			if f.rows[i], err = versions(ctx, m, v, i); err != nil {
				return err
			}
			return told(int(done.Add(1)))
		})
	}
	return f, group.Wait()
}

// versions returns the features of every version of image i; nil if it cannot be read.
func versions(ctx context.Context, m *ort.Model, v *sample.Versions, i int) ([]*tensor.Tensor, error) {
	var rows []*tensor.Tensor
	for k := range v.Variants() {
		s, err := v.Load(ctx, i, uint64(k))
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case unreadable(err):
			return nil, nil
		case err != nil:
			return nil, err
		}
		out, err := m.Run(ctx, []*tensor.Tensor{s.X})
		if err != nil {
			return nil, err
		}
		rows = append(rows, out[0])
	}
	return rows, nil
}

// unreadable reports whether an error says that an image is none.
func unreadable(err error) bool {
	code := trilobite.CodeOf(err)
	return err != nil && (code == trilobite.InvalidImage || code == trilobite.ImageTooLarge)
}

// cut is a network before and after its first constant that is learned: its last layer's
// and, of blocks, those of its last blocks.
func cut(net *nn.Network, blocks int) (before, after *onnx.Graph, err error) {
	all := names(net)
	last := all[len(all)-2:]
	chosen := func(name string) bool { return slices.Contains(last, name) }
	if blocks > 0 {
		deep, err := train.Unfrozen(all, strconv.Itoa(blocks))
		if err != nil {
			return nil, nil, err
		}
		chosen = func(name string) bool { return deep(name) || slices.Contains(last, name) }
	}
	before, after, err = train.Cut(net.Graph, chosen)
	if err == nil && len(before.Outputs) != 1 {
		err = fmt.Errorf("%s cannot be cut at one place before its last %d blocks", net.Graph.Name, blocks)
	}
	return before, after, err
}

func names(net *nn.Network) []string {
	all := make([]string, len(net.Params))
	for i, p := range net.Params {
		all[i] = p.Name
	}
	return all
}
