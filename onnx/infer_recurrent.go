package onnx

import "fmt"

func recurrentRule(op string) shapeRule {
	switch op {
	case "LSTM", "GRU", "RNN":
		return inferRecurrent
	default:
		return nil
	}
}

// inferRecurrent: X (T, N, I) and R (D, …, H) → Y (T, D, N, H), Y_h (D, N, H) and for an
// LSTM Y_c (D, N, H); with layout 1 N comes first: X (N, T, I), Y (N, T, D, H), Y_h (N, D, H).
func inferRecurrent(n *Node, _ *Symbols) error {
	if err := need(n, 3); err != nil {
		return err
	}
	x, r, t := inShape(n, 0), inShape(n, 2), inType(n, 0)
	if x != nil && len(x) != 3 || r != nil && len(r) != 3 {
		return fmt.Errorf("inputs X %v and R %v, want three axes each", x, r)
	}
	steps, batch, directions, hidden := Unknown, Unknown, int64(1), Unknown
	if n.Str("direction", "forward") == "bidirectional" {
		directions = 2
	}
	if h := n.Int("hidden_size", 0); h > 0 {
		hidden = h
	} else if r != nil {
		hidden = r[2]
	}
	batchFirst := n.Int("layout", 0) == 1
	if x != nil {
		steps, batch = x[0], x[1]
		if batchFirst {
			steps, batch = x[1], x[0]
		}
	}
	y, state := Shape{steps, directions, batch, hidden}, Shape{directions, batch, hidden}
	if batchFirst {
		y, state = Shape{batch, steps, directions, hidden}, Shape{batch, directions, hidden}
	}
	setOut(n, 0, t, y)
	for i := 1; i < len(n.Out); i++ {
		setOut(n, i, t, state)
	}
	return nil
}
