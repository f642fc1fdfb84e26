package imageio

import (
	"bytes"
	"encoding/binary"
)

// needsProfile says whether the pixels of s must go through their ICC profile. Most
// embedded profiles are sRGB itself, and for those the conversion is only time lost.
func needsProfile(s *source) bool {
	p := s.profile()
	return p != nil && !isSRGB(p)
}

// isSRGB recognises the usual sRGB profiles by their description (ICC.1, 9.2.41): a
// 'desc' tag whose text begins with sRGB, as ASCII (version 2) or UTF-16 (version 4).
func isSRGB(profile []byte) bool {
	const header, entry = 128, 12
	if len(profile) < header+4 || string(profile[16:20]) != "RGB " {
		return false
	}
	n := int(binary.BigEndian.Uint32(profile[header:]))
	for i := range min(n, 64) {
		at := header + 4 + i*entry
		if at+entry > len(profile) {
			return false
		}
		if string(profile[at:at+4]) != "desc" {
			continue
		}
		offset, size := int(binary.BigEndian.Uint32(profile[at+4:])), int(binary.BigEndian.Uint32(profile[at+8:]))
		if offset > len(profile) || size > len(profile)-offset {
			return false
		}
		text := bytes.ReplaceAll(profile[offset:offset+size], []byte{0}, nil)
		i := bytes.Index(text, []byte("sRGB"))
		return i >= 0 && i < 32
	}
	return false
}
