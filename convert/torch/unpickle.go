package torch

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/nlpodyssey/gopickle/pickle"
	"github.com/nlpodyssey/gopickle/types"

	"trilobite/tensor"
)

// view is a tensor as a pickle describes it: a window on a storage. Offset and
// strides count elements.
type view struct {
	storage *storage
	offset  int64
	shape   []int64
	stride  []int64
}

// storage is a run of n elements whose bytes the container holds under key.
type storage struct {
	dtype tensor.DType
	key   string
	n     int64
}

// call is a class or function of the allow-list, applied by REDUCE.
type call func(args []any) (any, error)

// Call makes call a types.Callable of gopickle.
func (c call) Call(args ...any) (any, error) { return c(args) }

// storageClasses are the typed storages of package torch; their names are part of
// the format (torch/storage.py).
var storageClasses = map[string]tensor.DType{
	"FloatStorage": tensor.Float32, "DoubleStorage": tensor.Float64, "HalfStorage": tensor.Float16,
	"BFloat16Storage": tensor.BFloat16, "CharStorage": tensor.Int8, "ShortStorage": tensor.Int16,
	"IntStorage": tensor.Int32, "LongStorage": tensor.Int64, "ByteStorage": tensor.Uint8,
	"BoolStorage": tensor.Bool,
}

// findClass is the closed list of what a state dict may name.
func findClass(module, name string) (any, error) {
	switch module + "." + name {
	case "collections.OrderedDict":
		return &types.OrderedDictClass{}, nil
	case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2":
		return call(rebuildTensor), nil
	case "torch._utils._rebuild_parameter":
		return call(rebuildParameter), nil
	case "torch.Size":
		return call(func(args []any) (any, error) { return types.NewTupleFromSlice(args), nil }), nil
	}
	if d, ok := storageClasses[name]; ok && module == "torch" {
		return d, nil
	}
	return nil, fmt.Errorf("the pickle names %.100q, which a state dict may not", module+"."+name)
}

// unpickle interprets a scanned pickle and notes the storages it names. gopickle
// asserts types and hashes keys as the pickle tells it to, so a panic of its own is the
// pickle's fault, not ours.
func unpickle(scanned []byte, found map[string]*storage) (obj any, err error) {
	defer func() {
		if p := recover(); p != nil {
			obj, err = nil, fmt.Errorf("malformed pickle: %v", p)
		}
	}()
	u := pickle.NewUnpickler(bytes.NewReader(scanned))
	u.FindClass = findClass
	u.PersistentLoad = func(id any) (any, error) {
		s, err := persistent(id)
		if err != nil {
			return nil, err
		}
		if old := found[s.key]; old != nil && *old != *s {
			return nil, fmt.Errorf("storage %.50q is described twice, differently", s.key)
		}
		found[s.key] = s
		return s, nil
	}
	obj, err = u.Load()
	if err != nil {
		return nil, fmt.Errorf("unpickling: %w", err)
	}
	return obj, nil
}

// persistent reads the id of a storage: ("storage", class, key, location, n) and, in
// the stream before 1.6, a view, which no torch since 0.4 writes.
func persistent(id any) (*storage, error) {
	t, ok := id.(*types.Tuple)
	if !ok || t.Len() < 5 || t.Len() > 6 {
		return nil, fmt.Errorf("persistent id %T is no storage", id)
	}
	if kind, _ := t.Get(0).(string); kind != "storage" {
		return nil, fmt.Errorf("persistent id of a %.50q, only storages are read; save the module's state_dict()", kind)
	}
	d, ok1 := t.Get(1).(tensor.DType)
	key, ok2 := t.Get(2).(string)
	n, ok3 := t.Get(4).(int)
	if !ok1 || !ok2 || !ok3 || n < 0 {
		return nil, fmt.Errorf("storage %.50v of %v elements is malformed", t.Get(2), t.Get(4))
	}
	if t.Len() == 6 && t.Get(5) != nil {
		return nil, fmt.Errorf("storage %.50q is a view of another, which is not supported", key)
	}
	return &storage{dtype: d, key: key, n: int64(n)}, nil
}

// rebuildTensor is torch._utils._rebuild_tensor(storage, offset, size, stride), and v2,
// which adds requires_grad and hooks.
func rebuildTensor(args []any) (any, error) {
	if len(args) < 4 {
		return nil, fmt.Errorf("a tensor of %d arguments", len(args))
	}
	s, ok1 := args[0].(*storage)
	offset, ok2 := args[1].(int)
	shape, ok3 := ints(args[2])
	stride, ok4 := ints(args[3])
	if !ok1 || !ok2 || !ok3 || !ok4 || offset < 0 || len(shape) != len(stride) {
		return nil, errors.New("a tensor of malformed arguments")
	}
	return &view{s, int64(offset), shape, stride}, nil
}

func rebuildParameter(args []any) (any, error) {
	if len(args) < 1 {
		return nil, errors.New("a parameter of no arguments")
	}
	return args[0], nil
}

func ints(v any) ([]int64, bool) {
	t, ok := v.(*types.Tuple)
	if !ok || t.Len() > 64 {
		return nil, false
	}
	out := make([]int64, t.Len())
	for i := range out {
		n, ok := t.Get(i).(int)
		if !ok || n < 0 {
			return nil, false
		}
		out[i] = int64(n)
	}
	return out, true
}

type entry struct {
	key   string
	value any
}

// entries returns the string-keyed entries of a dict or OrderedDict, in its order.
func entries(v any) ([]entry, bool) {
	var out []entry
	add := func(key, value any) {
		if k, ok := key.(string); ok {
			out = append(out, entry{k, value})
		}
	}
	switch d := v.(type) {
	case *types.Dict:
		for _, e := range *d {
			add(e.Key, e.Value)
		}
	case *types.OrderedDict:
		for e := d.List.Front(); e != nil; e = e.Next() {
			if o, ok := e.Value.(*types.OrderedDictEntry); ok {
				add(o.Key, o.Value)
			}
		}
	default:
		return nil, false
	}
	return out, true
}
