package learn

import (
	"context"
	"errors"
	"fmt"
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
)

// features are what a frozen network says of each image before its last layer.
type features struct {
	rows  [][]*tensor.Tensor // by image, then version: as it is, mirrored; (1, width). Nil: unreadable
	width int64
}

// extract computes the features of images, and of their mirrors. told hears how many are
// done; its error ends it. Each run takes one core, so that features do not depend on
// what else the machine does.
func (e *Engine) extract(ctx context.Context, net *nn.Network, spec pipeline.Spec, images []dataset.Image, mirrored bool, told func(done int) error) (*features, error) {
	g, width, err := beforeLast(net)
	if err != nil {
		return nil, err
	}
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
	plan := augment.Plan{}
	if mirrored {
		plan.HorizontalFlip = 0.5
	}
	v, err := sample.NewVersions(&dataset.Set{Images: images}, spec, sample.Options{Task: sample.Classify, Augment: plan, Limits: e.Limits})
	if err != nil {
		return nil, err
	}
	f := &features{rows: make([][]*tensor.Tensor, len(images)), width: width}
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

// beforeLast is the network without its last layer: its output is that layer's input
// (N, width).
func beforeLast(net *nn.Network) (*onnx.Graph, int64, error) {
	g := onnx.Clone(net.Graph)
	last := net.Params[len(net.Params)-2].Name
	for _, n := range g.Nodes {
		for _, in := range n.In {
			if in != nil && in.IsConst() && in.Name == last {
				x := n.Input(0)
				if len(x.Shape) != 2 || x.Shape[1] < 1 {
					return nil, 0, fmt.Errorf("the last layer of %s reads %v, want a row for each image", g.Name, x.Shape)
				}
				g.Outputs = []*onnx.Value{x}
				return g, x.Shape[1], onnx.Simplify(g)
			}
		}
	}
	return nil, 0, errors.New("the network " + g.Name + " does not read its last layer's weights")
}
