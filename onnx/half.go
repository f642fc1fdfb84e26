package onnx

import "math"

// halfBits returns the IEEE 754 binary16 nearest to f, ties to even.
func halfBits(f float32) uint16 {
	bits := math.Float32bits(f)
	sign := uint16(bits >> 16 & 0x8000)
	exp := int(bits>>23&0xff) - 127
	man := bits & 0x7fffff
	switch {
	case exp == 128 && man != 0:
		return sign | 0x7e00 // NaN
	case exp > 15:
		return sign | 0x7c00 // infinite, or too large
	case exp >= -14:
		return sign | uint16(roundShift(uint32(exp+15)<<23|man, 13)) // a carry raises the exponent, as it should
	case exp >= -25:
		return sign | uint16(roundShift(man|0x800000, uint(-1-exp))) // subnormal
	default:
		return sign
	}
}

// bfloatBits returns the bfloat16 nearest to f, ties to even.
func bfloatBits(f float32) uint16 {
	if f != f {
		return 0x7fc0
	}
	return uint16(roundShift(math.Float32bits(f), 16))
}

// roundShift returns v >> n, rounded to nearest, ties to even; n is 1 to 31.
func roundShift(v uint32, n uint) uint32 {
	half := uint32(1) << (n - 1)
	rest := v & (half<<1 - 1)
	v >>= n
	if rest > half || rest == half && v&1 == 1 {
		v++
	}
	return v
}
