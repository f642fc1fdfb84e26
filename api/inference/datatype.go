package inference

import (
	"fmt"

	"trilobite/tensor"
)

// datatypes are the protocol's names of element types; BYTES are strings of any bytes.
var datatypes = map[tensor.DType]string{
	tensor.Bool: "BOOL", tensor.Uint8: "UINT8", tensor.Uint16: "UINT16", tensor.Uint32: "UINT32", tensor.Uint64: "UINT64",
	tensor.Int8: "INT8", tensor.Int16: "INT16", tensor.Int32: "INT32", tensor.Int64: "INT64",
	tensor.Float16: "FP16", tensor.BFloat16: "BF16", tensor.Float32: "FP32", tensor.Float64: "FP64", tensor.String: "BYTES",
}

// datatype returns the protocol's name of a type.
func datatype(d tensor.DType) string { return datatypes[d] }

// dtype returns the type of a protocol's name.
func dtype(name string) (tensor.DType, error) {
	for d, n := range datatypes {
		if n == name {
			return d, nil
		}
	}
	return tensor.Invalid, fmt.Errorf("datatype %.20q is none of BOOL, UINT8 to UINT64, INT8 to INT64, FP16, BF16, FP32, FP64 and BYTES", name)
}
