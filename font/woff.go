package font

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"maps"
	"math/bits"
	"slices"
)

// assemble writes tables as an sfnt.
func assemble(tables map[string][]byte) []byte {
	tags := slices.Sorted(maps.Keys(tables))
	b := binary.BigEndian
	out := header(b.AppendUint32(nil, 0x00010000), len(tags))
	at := 12 + 16*len(tags)
	for _, tag := range tags {
		out = append(out, tag...)
		out = b.AppendUint32(out, checksum(tables[tag]))
		out = b.AppendUint32(out, uint32(at))
		out = b.AppendUint32(out, uint32(len(tables[tag])))
		at += (len(tables[tag]) + 3) &^ 3
	}
	for _, tag := range tags {
		out = append(out, tables[tag]...)
		out = append(out, make([]byte, -len(tables[tag])&3)...)
	}
	return out
}

// header appends the counts that follow an sfnt's first word.
func header(out []byte, n int) []byte {
	power := bits.Len(uint(n)) - 1
	for _, v := range []int{n, 16 << power, power, 16*n - 16<<power} {
		out = binary.BigEndian.AppendUint16(out, uint16(v))
	}
	return out
}

func checksum(table []byte) uint32 {
	var sum uint32
	for i := 0; i < len(table); i += 4 {
		var word [4]byte
		copy(word[:], table[i:])
		sum += binary.BigEndian.Uint32(word[:])
	}
	return sum
}

// pack writes tables as WOFF.
func pack(tables map[string][]byte) ([]byte, error) {
	binary.BigEndian.PutUint32(tables["head"][8:], 0)
	plain := assemble(tables)
	binary.BigEndian.PutUint32(tables["head"][8:], 0xB1B0AFBA-checksum(plain)) // checkSumAdjustment
	tags := slices.Sorted(maps.Keys(tables))
	b := binary.BigEndian
	var entries, data []byte
	at := 44 + 20*len(tags)
	for _, tag := range tags {
		packed, err := deflate(tables[tag])
		if err != nil {
			return nil, err
		}
		entries = append(entries, tag...)
		for _, v := range []uint32{uint32(at + len(data)), uint32(len(packed)), uint32(len(tables[tag])), checksum(tables[tag])} {
			entries = b.AppendUint32(entries, v)
		}
		data = append(data, packed...)
		data = append(data, make([]byte, -len(packed)&3)...)
	}
	out := b.AppendUint32([]byte("wOFF"), 0x00010000)
	out = b.AppendUint32(out, uint32(at+len(data)))
	out = b.AppendUint16(out, uint16(len(tags)))
	out = b.AppendUint16(out, 0)
	out = b.AppendUint32(out, uint32(len(plain)))
	out = append(out, make([]byte, 24)...) // no version, metadata or private data
	return slices.Concat(out, entries, data), nil
}

// deflate compresses a table, unless that makes it larger.
func deflate(table []byte) ([]byte, error) {
	var out bytes.Buffer
	z, err := zlib.NewWriterLevel(&out, zlib.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(table); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	if out.Len() >= len(table) {
		return table, nil
	}
	return out.Bytes(), nil
}
