package ort

import (
	"errors"
	"fmt"
	"runtime"

	ortgo "github.com/yalue/onnxruntime_go"

	"trilobite/onnx"
	"trilobite/tensor"
)

// mover copies slots between a GPU's memory and the CPU's. The C API has no function
// for it, so a graph of Identity nodes does it: what is bound on one side is copied to
// what is bound on the other. Nothing here has met a GPU yet.
type mover struct{ s *session }

func newMover(slots []slot, o Options) (*mover, error) {
	b := onnx.NewBuilder("mover")
	var in, out []ValueInfo
	for i, sl := range slots {
		x := b.Input(fmt.Sprintf("in%d", i), sl.info.DType, sl.info.Shape)
		y := b.Output(fmt.Sprintf("out%d", i), b.Identity(x))
		in = append(in, ValueInfo{Name: x.Name, DType: x.DType, Shape: x.Shape})
		out = append(out, ValueInfo{Name: y.Name, DType: y.DType, Shape: y.Shape})
	}
	g, err := b.Graph()
	if err != nil {
		return nil, err
	}
	data, err := onnx.Marshal(g)
	if err != nil {
		return nil, err
	}
	m := &mover{}
	if m.s, err = newSession(source{data: data}, in, out, 1, o); err != nil {
		return nil, err
	}
	return m, nil
}

// move copies state to the slots' values of the given turn (in) or from them.
func (m *mover) move(slots []slot, turn int, state []*tensor.Tensor, in bool) error {
	b, err := m.s.s.CreateIoBinding()
	if err != nil {
		return err
	}
	defer b.Destroy()
	var pins runtime.Pinner
	defer pins.Unpin()
	for i, sl := range slots {
		data, err := elements(state[i])
		if err != nil {
			return err
		}
		mine, err := m.s.host.over(&pins, data, state[i].DType, state[i].Shape)
		if err != nil {
			return err
		}
		defer mine.release() // when the run is over
		from, to := sl.values[turn], mine
		if in {
			from, to = to, from
		}
		if err := errors.Join(bindInput(b, fmt.Sprintf("in%d", i), from), bindOutput(b, fmt.Sprintf("out%d", i), to)); err != nil {
			return err
		}
	}
	o, err := ortgo.NewRunOptions()
	if err != nil {
		return err
	}
	defer o.Destroy()
	return m.s.runBinding(o, b)
}

func (m *mover) close() error {
	return m.s.close()
}
