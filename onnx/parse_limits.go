package onnx

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"trilobite/onnx/internal/onnxpb"
)

// Limits on a model's structure. Real models of 2026 have at most some 10^5 nodes.
const (
	maxMessages = 4 << 20 // messages and strings; one takes up to 300 bytes once read
	maxDepth    = 40      // of messages within messages: 12 levels of bodies
	maxBodies   = 10      // of bodies within bodies
	maxName     = 4096    // bytes
)

// checkWire walks the encoded model without building it: two bytes can make an empty
// message of hundreds, so messages and nesting are counted before any is allocated.
func checkWire(data []byte) error {
	budget := maxMessages
	return countMessages(data, (&onnxpb.ModelProto{}).ProtoReflect().Descriptor(), &budget, 0)
}

func countMessages(data []byte, md protoreflect.MessageDescriptor, budget *int, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("not a readable model: %s is nested more than %d deep", md.Name(), maxDepth)
	}
	for len(data) > 0 {
		num, typ, n := protowire.ConsumeTag(data)
		if n < 0 {
			return fmt.Errorf("not an ONNX model: %w", protowire.ParseError(n))
		}
		size := protowire.ConsumeFieldValue(num, typ, data[n:])
		if size < 0 {
			return fmt.Errorf("not an ONNX model: %w", protowire.ParseError(size))
		}
		value := data[n : n+size]
		data = data[n+size:]
		f := md.Fields().ByNumber(num)
		if typ != protowire.BytesType || f == nil {
			continue
		}
		message := f.Kind() == protoreflect.MessageKind
		if !message && f.Kind() != protoreflect.BytesKind && f.Kind() != protoreflect.StringKind {
			continue // packed numbers
		}
		if *budget--; *budget < 0 {
			return fmt.Errorf("more than %d parts: too large a model", maxMessages)
		}
		if !message {
			continue
		}
		inner, _ := protowire.ConsumeBytes(value)
		if err := countMessages(inner, f.Message(), budget, depth+1); err != nil {
			return err
		}
	}
	return nil
}
