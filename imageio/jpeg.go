package imageio

import "bytes"

// jpegScans walks the markers of a JPEG file (ITU-T T.81, annex B) and returns the
// number of its scans and whether it is progressive (SOF2, SOF6, SOF10, SOF14).
// A sequential file is not walked beyond its frame header: 1, false.
func jpegScans(data []byte) (scans int, progressive bool) {
	i := 2
	for i+4 <= len(data) {
		if data[i] != 0xff {
			j := bytes.IndexByte(data[i:], 0xff) // entropy-coded data, or rubbish
			if j < 0 {
				break
			}
			i += j
			continue
		}
		marker := data[i+1]
		switch {
		case marker == 0xff: // a fill byte
			i++
			continue
		case marker == 0 || marker == 0x01 || marker >= 0xd0 && marker <= 0xd8: // no length
			i += 2
			continue
		case marker == 0xd9: // EOI
			return max(1, scans), progressive
		case marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc: // SOF
			progressive = marker&3 == 2
			if !progressive {
				return 1, false
			}
		case marker == 0xda: // SOS
			scans++
		}
		i += 2 + max(2, int(data[i+2])<<8|int(data[i+3]))
	}
	return max(1, scans), progressive
}
