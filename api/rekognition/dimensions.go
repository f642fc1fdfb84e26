package rekognition

import (
	"bytes"
	"encoding/binary"
	"errors"
)

var (
	errFormat = errors.New("neither PNG nor JPEG")
	errHeader = errors.New("no image header")
)

// dimensions returns the width and height, in pixels as stored, that the header of a PNG
// or JPEG file declares, without decoding it. Any other format is an error.
func dimensions(data []byte) (w, h int, err error) {
	switch {
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return pngDimensions(data)
	case bytes.HasPrefix(data, []byte{0xff, 0xd8, 0xff}):
		return jpegDimensions(data)
	default:
		return 0, 0, errFormat
	}
}

// pngDimensions reads the IHDR chunk, which the PNG specification (section 11.2.1) puts
// first: length, type, width, height, each 4 bytes.
func pngDimensions(data []byte) (w, h int, err error) {
	if len(data) < 24 || string(data[12:16]) != "IHDR" {
		return 0, 0, errHeader
	}
	w, h = int(binary.BigEndian.Uint32(data[16:])), int(binary.BigEndian.Uint32(data[20:]))
	if w == 0 || h == 0 {
		return 0, 0, errHeader
	}
	return w, h, nil
}

// jpegDimensions walks the marker segments (ITU T.81, annex B) to the frame header: SOF0
// to SOF15 without DHT, JPG and DAC, whose codes lie between.
func jpegDimensions(data []byte) (w, h int, err error) {
	const (
		sof0, dht, jpg, dac, sof15 = 0xc0, 0xc4, 0xc8, 0xcc, 0xcf
		rst0, soi, eoi, sos, tem   = 0xd0, 0xd8, 0xd9, 0xda, 0x01
	)
	for at := 2; at+1 < len(data); {
		if data[at] != 0xff { // stray bytes between segments; decoders skip them too
			at++
			continue
		}
		marker := data[at+1]
		at++
		if marker == 0xff || marker == 0 { // fill bytes
			continue
		}
		at++
		if marker == tem || rst0 <= marker && marker <= soi {
			continue
		}
		if marker == eoi || marker == sos || at+2 > len(data) {
			break
		}
		length := int(binary.BigEndian.Uint16(data[at:]))
		if sof0 <= marker && marker <= sof15 && marker != dht && marker != jpg && marker != dac {
			if at+7 > len(data) {
				break
			}
			h, w = int(binary.BigEndian.Uint16(data[at+3:])), int(binary.BigEndian.Uint16(data[at+5:]))
			if w == 0 || h == 0 {
				break
			}
			return w, h, nil
		}
		at += max(length, 2)
	}
	return 0, 0, errHeader
}
