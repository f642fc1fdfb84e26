package onnx

// Comparisons and logic; the results are bool, inputs broadcast.

// Equal is X = Y.
func (b *Builder) Equal(x, y *Value) *Value { return b.op("Equal", nil, x, y) }

// Greater is X > Y.
func (b *Builder) Greater(x, y *Value) *Value { return b.op("Greater", nil, x, y) }

// GreaterOrEqual is X ≥ Y.
func (b *Builder) GreaterOrEqual(x, y *Value) *Value { return b.op("GreaterOrEqual", nil, x, y) }

// Less is X < Y.
func (b *Builder) Less(x, y *Value) *Value { return b.op("Less", nil, x, y) }

// LessOrEqual is X ≤ Y.
func (b *Builder) LessOrEqual(x, y *Value) *Value { return b.op("LessOrEqual", nil, x, y) }

// And is X and Y.
func (b *Builder) And(x, y *Value) *Value { return b.op("And", nil, x, y) }

// Or is X or Y.
func (b *Builder) Or(x, y *Value) *Value { return b.op("Or", nil, x, y) }

// Xor is X or Y, not both.
func (b *Builder) Xor(x, y *Value) *Value { return b.op("Xor", nil, x, y) }

// Not is not X.
func (b *Builder) Not(x *Value) *Value { return b.op("Not", nil, x) }

// IsNaN tells which elements are NaN.
func (b *Builder) IsNaN(x *Value) *Value { return b.op("IsNaN", nil, x) }

// IsInf tells which elements are infinite.
func (b *Builder) IsInf(x *Value) *Value { return b.op("IsInf", nil, x) }
