package train

import (
	"context"
	"fmt"

	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/step"
	"trilobite/tensor"
)

// build makes the step and loads it.
func (l *loop) build(ctx context.Context, s *stage) error {
	g := onnx.Clone(s.halves.suffix)
	if symbol := g.Symbols.Name(g.Inputs[0].Shape[0]); symbol != "" && (s.order.whole || s.order.samples%s.order.batch == 0) {
		if err := onnx.Bind(g, map[string]int64{symbol: s.order.batch}); err != nil { // known sizes make a faster step
			return err
		}
	}
	loss, err := l.lossOf(g, s)
	if err != nil {
		return err
	}
	scale := l.LRScale
	if s.LRScale != nil {
		scale = s.LRScale
	}
	s.built, err = step.Build(g, step.Spec{
		Loss: loss, Params: parameters(g, s.params), BatchNorm: l.BatchNorm, Rule: s.Rule, NoDecay: l.NoDecay, LRScale: scale,
		ClipNorm: l.ClipNorm, EMA: l.EMA, Accumulate: l.Accumulate,
	})
	if err != nil {
		return err
	}
	data, err := onnx.Marshal(s.built.Graph)
	if err != nil {
		return err
	}
	slots, initial := make([]ort.Slot, len(s.built.Slots)), make([]*tensor.Tensor, len(s.built.Slots))
	for i, sl := range s.built.Slots {
		slots[i], initial[i] = ort.Slot{In: sl.In, Out: sl.Out}, sl.Init
		if l.restore != nil {
			if initial[i] = l.restore[sl.In]; initial[i] == nil {
				return fmt.Errorf("the checkpoint has no %q: it is of another network", sl.In)
			}
		}
	}
	l.restore = nil
	o := l.Runtime
	o.Name = l.Graph.Name
	s.stepper, err = l.rt.LoadStep(ctx, data, slots, initial, o)
	return err
}

// lossOf adds the loss to g, a copy of the suffix.
func (l *loop) lossOf(g *onnx.Graph, s *stage) (*onnx.Value, error) {
	b := onnx.Extend(g)
	loss := l.Loss(b, g.Outputs)
	if err := b.Err(); err != nil {
		return nil, fmt.Errorf("the loss: %w", err)
	}
	s.targets = nil
	for _, v := range g.Inputs[len(s.halves.feeds):] {
		s.targets = append(s.targets, v.Name)
	}
	return loss, nil
}
