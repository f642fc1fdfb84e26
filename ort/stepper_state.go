package ort

import (
	"errors"
	"fmt"
	"slices"

	"trilobite/tensor"
)

// Undo takes the last step back: the state is what it was before it. Only one step can
// be taken back, and none after SetState.
func (s *Stepper) Undo() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.undo {
		return fmt.Errorf("training step %s: there is no step to take back", s.opts.Name)
	}
	s.turn, s.undo = 1-s.turn, false
	return nil
}

// State returns a copy of the slots' current values, in their order.
func (s *Stepper) State() ([]*tensor.Tensor, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.s == nil {
		return nil, closing(s.opts.Name)
	}
	state := make([]*tensor.Tensor, len(s.slots))
	for i, sl := range s.slots {
		t, err := tensor.New(sl.info.DType, slices.Clone(sl.info.Shape))
		if err != nil {
			return nil, fmt.Errorf("slot %s: %w", sl.info, err)
		}
		state[i] = t
	}
	return state, s.move(state, false)
}

// SetState replaces the slots' values by copies of the given ones.
func (s *Stepper) SetState(state []*tensor.Tensor) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.s == nil {
		return closing(s.opts.Name)
	}
	want := make([]ValueInfo, len(s.slots))
	for i, sl := range s.slots {
		want[i] = sl.info
	}
	if err := check(state, want); err != nil {
		return fmt.Errorf("state of training step %s: %w", s.opts.Name, err)
	}
	s.undo = false
	return s.move(state, true)
}

// move copies state to the slots' current values (in) or from them.
func (s *Stepper) move(state []*tensor.Tensor, in bool) error {
	if s.mover != nil {
		return s.mover.move(s.slots, s.turn, state, in)
	}
	for i, sl := range s.slots {
		mine, err := elements(state[i])
		if err != nil {
			return fmt.Errorf("slot %s: %w", sl.info, err)
		}
		theirs, err := sl.values[s.turn].bytes(len(mine))
		if err != nil {
			return fmt.Errorf("slot %s: %w", sl.info, err)
		}
		if in {
			copy(theirs, mine)
		} else {
			copy(mine, theirs)
		}
	}
	return nil
}

// Close waits for the step under way and frees the memory. Later steps fail with
// trilobite.NotReady.
func (s *Stepper) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for k, b := range s.ways {
		if b != nil {
			err = errors.Join(err, b.Destroy())
			s.ways[k] = nil
		}
	}
	for _, sl := range s.slots {
		sl.values[0].release()
		sl.values[1].release()
	}
	s.slots = nil
	if s.mover != nil {
		err = errors.Join(err, s.mover.close())
		s.mover = nil
	}
	if s.device != nil && s.device != s.s.host {
		s.device.release()
	}
	s.device = nil
	if s.s != nil {
		err = errors.Join(err, s.s.close())
		s.s = nil
		trim()
	}
	return err
}
