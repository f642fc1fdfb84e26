package imageio

import "bytes"

// jpegScans walks the markers of a JPEG file (ITU-T T.81, annex B) and returns the
// number of its scans and, of a progressive one (SOF2, SOF6, SOF10, SOF14), the
// coefficients it has per pixel: 3, less where chroma is subsampled. A sequential file
// is not walked beyond its frame header: 1, 0.
func jpegScans(data []byte) (scans int, coefficients float64) {
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
			return max(1, scans), coefficients
		case marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc: // SOF
			if marker&3 != 2 {
				return 1, 0
			}
			coefficients = jpegSamples(data[i+2:])
		case marker == 0xda: // SOS
			scans++
		}
		i += 2 + max(2, int(data[i+2])<<8|int(data[i+3]))
	}
	return max(1, scans), coefficients
}

// jpegSamples returns the samples per pixel of a frame header (T.81, B.2.2), from its
// length field on; 4, the most there are, where the header is broken.
func jpegSamples(frame []byte) float64 {
	const first, each = 8, 3
	if len(frame) < first {
		return 4
	}
	sum, most := 0, 0
	for c := range int(frame[first-1]) {
		at := first + c*each + 1
		if at >= len(frame) {
			return 4
		}
		n := int(frame[at]>>4) * int(frame[at]&15)
		sum += n
		most = max(most, n)
	}
	if most == 0 {
		return 4
	}
	return min(4, float64(sum)/float64(most))
}
