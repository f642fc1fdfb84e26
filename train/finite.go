package train

import (
	"context"
	"fmt"
	"slices"

	"trilobite"
	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/step"
	"trilobite/tensor"
)

// astray is the error of a step whose loss is no finite number. It takes the step back
// and looks for the first thing that is none before it: a parameter, an input of the
// step, a gradient.
func (l *loop) astray(ctx context.Context, s *stage, batch []*tensor.Tensor, loss float64) error {
	what, err := l.culprit(ctx, s, batch)
	if err != nil {
		return err
	}
	kept := ""
	if l.at.Best != nil {
		kept = fmt.Sprintf(" The best checkpoint, of step %d, is kept.", l.at.Best.Step)
	}
	return &trilobite.Error{Op: "train.Run", Code: trilobite.Invalid, Msg: fmt.Sprintf(
		"The loss is %v at step %d: %s. Try a lower learning rate or clip the gradients.%s", loss, l.at.Done+1, what, kept)}
}

func (l *loop) culprit(ctx context.Context, s *stage, batch []*tensor.Tensor) (string, error) {
	if err := s.stepper.Undo(); err != nil {
		return "", err
	}
	state, err := s.state()
	if err != nil {
		return "", err
	}
	for _, sl := range s.built.Slots {
		if !allFinite(state[sl.In]) {
			return fmt.Sprintf("parameter %q was not finite before it", sl.In), nil
		}
	}
	for i, t := range batch[:len(s.halves.feeds)] {
		if !allFinite(t) {
			return fmt.Sprintf("its input %q is not finite", s.halves.feeds[i].name), nil
		}
	}
	for i, t := range batch[len(s.halves.feeds):] {
		if !allFinite(t) {
			return fmt.Sprintf("its target %q is not finite", s.targets[i]), nil
		}
	}
	return l.badGradient(ctx, s, batch, state)
}

// badGradient runs the step once more for its gradients.
func (l *loop) badGradient(ctx context.Context, s *stage, batch []*tensor.Tensor, state map[string]*tensor.Tensor) (string, error) {
	g := onnx.Clone(s.halves.suffix)
	loss, err := l.lossOf(g, s)
	if err != nil {
		return "", err
	}
	n := batch[0].Shape[0]
	if symbol := g.Symbols.Name(g.Inputs[0].Shape[0]); symbol != "" {
		if err := onnx.Bind(g, map[string]int64{symbol: n}); err != nil {
			return "", err
		}
	}
	built, err := step.Build(g, step.Spec{Loss: loss, Params: parameters(g, s.params), BatchNorm: l.BatchNorm})
	if err != nil {
		return "", err
	}
	data, err := onnx.Marshal(built.Graph)
	if err != nil {
		return "", err
	}
	var slots []ort.Slot
	var initial []*tensor.Tensor
	for _, sl := range built.Slots {
		slots, initial = append(slots, ort.Slot{In: sl.In, Out: sl.Out}), append(initial, state[sl.In])
	}
	o := l.Runtime
	o.Name = "the gradients of " + l.Graph.Name
	stepper, err := l.rt.LoadStep(ctx, data, slots, initial, o)
	if err != nil {
		return "", err
	}
	defer stepper.Close()
	named := *s
	named.built, named.stepper = built, stepper
	in := named.inputs(batch, l.at.Step+1, 0, mix(l.Seed, 3, uint64(l.at.Stage)))
	for i, v := range stepper.Inputs() {
		if in[i] == nil {
			in[i] = state[v.Name]
		}
	}
	out, err := stepper.Run(ctx, in)
	if err != nil {
		return "", err
	}
	for i, v := range stepper.Outputs() {
		if v.Name != built.Loss && !allFinite(out[i]) {
			return fmt.Sprintf("the first gradient that is not finite is %q", v.Name), nil
		}
	}
	return "the parameters and their gradients are finite", nil
}

func allFinite(t *tensor.Tensor) bool {
	if d, ok := tensor.Data[float32](t); ok {
		return !slices.ContainsFunc(d, func(x float32) bool { return !isFinite(float64(x)) })
	}
	if d, ok := tensor.Data[float64](t); ok {
		return !slices.ContainsFunc(d, func(x float64) bool { return !isFinite(x) })
	}
	return true
}
