package onnx

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"trilobite/onnx/internal/onnxpb"
)

// TestParseMutated reads thousands of models that are well-formed protobuf but have
// fields changed, removed or repeated. None may panic, or take long, and what is
// accepted can be written and read again. The seed is fixed; FuzzMutated searches on.
func TestParseMutated(t *testing.T) {
	t.Parallel()
	operators := operatorNames(t)
	rng := rand.New(rand.NewPCG(1, 2))
	accepted, total := 0, 0
	for _, m := range seeds(t) {
		for range 60 {
			total++
			if tryMutant(t, m, operators, rng) {
				accepted++
			}
		}
	}
	if accepted < total/20 {
		t.Errorf("%d of %d mutants are accepted; they no longer get past the first checks", accepted, total)
	}
}

// FuzzMutated is TestParseMutated with seeds from the fuzzer.
func FuzzMutated(f *testing.F) {
	models, operators := seeds(f), operatorNames(f)
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 3))
		tryMutant(t, models[rng.IntN(len(models))], operators, rng)
	})
}

func seeds(t testing.TB) []*onnxpb.ModelProto {
	t.Helper()
	files, err := filepath.Glob("testdata/*/*.onnx")
	if err != nil {
		t.Fatal(err)
	}
	var models []*onnxpb.ModelProto
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		m := &onnxpb.ModelProto{}
		if err := proto.Unmarshal(data, m); err != nil {
			t.Fatal(err)
		}
		models = append(models, m)
	}
	return models
}

// operatorNames returns the operators that schemaOf knows.
func operatorNames(t testing.TB) []string {
	t.Helper()
	source, err := os.ReadFile("schema_table.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range regexp.MustCompile(`case "(\w+)":`).FindAllSubmatch(source, -1) {
		names = append(names, string(m[1]))
	}
	return names
}

// tryMutant reads a changed copy of m and reports whether it was accepted.
func tryMutant(t *testing.T, m *onnxpb.ModelProto, operators []string, rng *rand.Rand) bool {
	t.Helper()
	c := proto.Clone(m).(*onnxpb.ModelProto)
	for range 1 + rng.IntN(4) {
		mutate(c.ProtoReflect(), operators, rng)
	}
	data, err := proto.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if r := recover(); r != nil {
			t.Fatalf("panic %v\nfor %v", r, c)
		}
	}()
	start := time.Now()
	g, err := Parse(data, "")
	if d := time.Since(start); d > 2*time.Second {
		t.Fatalf("reading took %v\nfor %v", d, c)
	}
	if err != nil {
		return false
	}
	out, err := Marshal(g)
	if err != nil {
		t.Fatalf("read but not written: %v\nfor %v", err, c)
	}
	if _, err := Parse(out, ""); err != nil {
		t.Fatalf("written but not read: %v\nfor %v", err, c)
	}
	return true
}

// mutate changes one field somewhere in m.
func mutate(m protoreflect.Message, operators []string, rng *rand.Rand) {
	var changes []func()
	var walk func(m protoreflect.Message)
	walk = func(m protoreflect.Message) {
		m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
			changes = append(changes, func() { m.Clear(f) })
			if f.IsList() {
				changes = append(changes, listChanges(v.List(), f, rng)...)
				for i := range v.List().Len() {
					if f.Message() != nil {
						walk(v.List().Get(i).Message())
					}
				}
				return true
			}
			if f.Message() != nil {
				walk(v.Message())
				return true
			}
			if w, ok := oddValue(f, v, rng); ok {
				changes = append(changes, func() { m.Set(f, w) })
			}
			if f.Name() == "op_type" {
				op := operators[rng.IntN(len(operators))]
				changes = append(changes, func() { m.Set(f, protoreflect.ValueOfString(op)) })
			}
			return true
		})
	}
	walk(m)
	if len(changes) > 0 {
		changes[rng.IntN(len(changes))]()
	}
}

// listChanges truncates a list, repeats or swaps entries, or changes one.
func listChanges(l protoreflect.List, f protoreflect.FieldDescriptor, rng *rand.Rand) []func() {
	n := l.Len()
	if n == 0 {
		return nil
	}
	i := rng.IntN(n)
	changes := []func(){
		func() { l.Truncate(i) },
		func() { l.Append(l.Get(i)) },
		func() { a, b := l.Get(i), l.Get(n-1); l.Set(i, b); l.Set(n-1, a) },
	}
	if w, ok := oddValue(f, l.Get(i), rng); ok {
		changes = append(changes, func() { l.Set(i, w) })
	}
	return changes
}

// oddValue returns another value of a scalar field, mostly an extreme one.
func oddValue(f protoreflect.FieldDescriptor, v protoreflect.Value, rng *rand.Rand) (protoreflect.Value, bool) {
	ints := []int64{0, 1, -1, 2, 3, 4, 7, 100, -2, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64, 1 << 40, rng.Int64N(30)}
	words := []string{"", "x", "y", "T", "Softmax", "Resize", "Reshape", "Concat", "Slice", "Range", "Tile", "Pad", "Conv", "MaxPool", "Loop", "Einsum", "OneHot", "axes", "axis", "N", "Expand"}
	switch f.Kind() {
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(ints[rng.IntN(len(ints))]), true
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(int32(ints[rng.IntN(len(ints))])), true
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(rng.IntN(15))), true
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(float32(math.Inf(rng.IntN(2)*2 - 1))), true
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(words[rng.IntN(len(words))]), true
	case protoreflect.BytesKind:
		b := append([]byte{}, v.Bytes()...)
		if len(b) > 0 {
			b[rng.IntN(len(b))] = []byte{0, 1, 0x7f, 0x80, 0xff}[rng.IntN(5)]
		}
		return protoreflect.ValueOfBytes(b), true
	default:
		return protoreflect.Value{}, false
	}
}
