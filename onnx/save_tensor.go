package onnx

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"

	"google.golang.org/protobuf/proto"

	"trilobite/onnx/internal/onnxpb"
	"trilobite/tensor"
)

// minExternal is the size in bytes from which a constant goes to the data file.
const minExternal = 1024

// pageSize is what offsets in the data file are multiples of, so that it can be
// mapped into memory (onnx/docs/ExternalData.md).
const pageSize = 4096

// external writes constants to a data file whose name is known at the end.
type external struct {
	w       io.Writer
	offset  int64
	entries []*onnxpb.StringStringEntryProto // the location of each tensor
}

// locate names the data file.
func (e *external) locate(name string) {
	for _, entry := range e.entries {
		entry.Value = proto.String(name)
	}
}

// tensor encodes a constant, in the model or in the data file.
func (w *writer) tensor(name string, t *tensor.Tensor) (*onnxpb.TensorProto, error) {
	size := t.Len() * int64(t.DType.Size())
	if w.ext == nil || size < minExternal {
		return w.inline(name, t)
	}
	if pad := -w.ext.offset & (pageSize - 1); pad > 0 {
		if _, err := w.ext.w.Write(make([]byte, pad)); err != nil {
			return nil, err
		}
		w.ext.offset += pad
	}
	location := &onnxpb.StringStringEntryProto{Key: proto.String("location")}
	w.ext.entries = append(w.ext.entries, location)
	pb := tensorHead(name, t)
	pb.DataLocation = onnxpb.TensorProto_EXTERNAL.Enum()
	pb.ExternalData = []*onnxpb.StringStringEntryProto{
		location,
		{Key: proto.String("offset"), Value: proto.String(strconv.FormatInt(w.ext.offset, 10))},
		{Key: proto.String("length"), Value: proto.String(strconv.FormatInt(size, 10))},
	}
	w.ext.offset += size
	return pb, writeElems(w.ext.w, t)
}

// inline encodes a tensor with its elements.
func (w *writer) inline(name string, t *tensor.Tensor) (*onnxpb.TensorProto, error) {
	pb := tensorHead(name, t)
	if s, ok := tensor.Data[string](t); ok {
		for _, v := range s {
			pb.StringData = append(pb.StringData, []byte(v))
		}
		return pb, nil
	}
	size := t.Len() * int64(t.DType.Size())
	if size > maxFile {
		return nil, fmt.Errorf("%d bytes are more than a model file can have (%d)", size, maxFile)
	}
	raw, err := binary.Append(make([]byte, 0, size), binary.LittleEndian, t.Raw())
	pb.RawData = raw
	return pb, err
}

func tensorHead(name string, t *tensor.Tensor) *onnxpb.TensorProto {
	pb := &onnxpb.TensorProto{Dims: t.Shape, DataType: proto.Int32(int32(t.DType))}
	if name != "" {
		pb.Name = proto.String(name)
	}
	return pb
}

// constBytes returns the bytes of all constants that g's nodes use, counted once
// each; math.MaxInt64 if that is not a number.
func constBytes(g *Graph) int64 {
	seen := map[*Value]bool{}
	var walk func(g *Graph) int64
	walk = func(g *Graph) int64 {
		var sum int64
		for _, t := range g.Defaults {
			sum += t.Len() * int64(t.DType.Size())
		}
		for _, n := range g.Nodes {
			for _, v := range n.In {
				if v == nil || !v.IsConst() || seen[v] {
					continue
				}
				seen[v] = true
				if sum += v.Data.Len() * int64(v.Data.DType.Size()); sum < 0 {
					return math.MaxInt64
				}
			}
			for _, body := range n.bodies() {
				sum += walk(body)
			}
		}
		return sum
	}
	return walk(g)
}

// writeElems writes a tensor's elements as little-endian bytes.
func writeElems(w io.Writer, t *tensor.Tensor) error {
	switch d := t.Raw().(type) {
	case []float32:
		return writeChunks(w, d, 4)
	case []float64:
		return writeChunks(w, d, 8)
	case []int8:
		return writeChunks(w, d, 1)
	case []int16:
		return writeChunks(w, d, 2)
	case []int32:
		return writeChunks(w, d, 4)
	case []int64:
		return writeChunks(w, d, 8)
	case []uint8:
		return writeChunks(w, d, 1)
	case []uint16:
		return writeChunks(w, d, 2)
	case []uint32:
		return writeChunks(w, d, 4)
	case []uint64:
		return writeChunks(w, d, 8)
	case []bool:
		return writeChunks(w, d, 1)
	default:
		return fmt.Errorf("elements of %s have no fixed size", t.DType)
	}
}

func writeChunks[T tensor.Elem](w io.Writer, src []T, size int) error {
	buf := make([]byte, 0, min(chunk, len(src)*size))
	for len(src) > 0 {
		n := min(len(src), cap(buf)/size)
		b, err := binary.Append(buf, binary.LittleEndian, src[:n])
		if err != nil {
			return err
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
		src = src[n:]
	}
	return nil
}
