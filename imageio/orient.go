package imageio

// upright returns m turned and mirrored as its EXIF orientation asks (CIPA DC-008,
// tag 0x0112), 1 to 8. Orientations 2 to 4 are done in place.
func upright(m *Image, orientation int) *Image {
	switch orientation {
	case 2:
		mirror(m)
	case 3:
		flip(m)
		mirror(m)
	case 4:
		flip(m)
	case 5:
		return transpose(m)
	case 6: // the top of the picture is at the right of the file: turn clockwise
		m = transpose(m)
		mirror(m)
	case 7:
		m = transpose(m)
		flip(m)
		mirror(m)
	case 8:
		m = transpose(m)
		flip(m)
	}
	return m
}

// mirror swaps left and right.
func mirror(m *Image) {
	for y := range m.H {
		row := m.Pix[y*m.W*3 : (y+1)*m.W*3]
		for i, j := 0, len(row)-3; i < j; i, j = i+3, j-3 {
			row[i], row[i+1], row[i+2], row[j], row[j+1], row[j+2] = row[j], row[j+1], row[j+2], row[i], row[i+1], row[i+2]
		}
	}
}

// flip swaps top and bottom.
func flip(m *Image) {
	line := m.W * 3
	tmp := make([]uint8, line)
	for y, z := 0, m.H-1; y < z; y, z = y+1, z-1 {
		a, b := m.Pix[y*line:(y+1)*line], m.Pix[z*line:(z+1)*line]
		copy(tmp, a)
		copy(a, b)
		copy(b, tmp)
	}
}

// transpose returns m with x and y exchanged.
func transpose(m *Image) *Image {
	const block = 32 // both tiles of 32×32 pixels stay in the first-level cache
	out := New(m.H, m.W)
	for y0 := 0; y0 < m.H; y0 += block {
		for x0 := 0; x0 < m.W; x0 += block {
			for y := y0; y < min(y0+block, m.H); y++ {
				src := m.Pix[(y*m.W+x0)*3 : (y*m.W+min(x0+block, m.W))*3]
				dst := (x0*m.H + y) * 3
				for i := 0; i+2 < len(src); i += 3 {
					copy(out.Pix[dst:dst+3], src[i:i+3])
					dst += m.H * 3
				}
			}
		}
	}
	return out
}
