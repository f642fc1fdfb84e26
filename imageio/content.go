package imageio

// Content returns where m differs from the colour of its upper left pixel by more than
// threshold, 0 to 255, in any channel, after a median of 3×3 pixels against specks; w and h
// are 0 where it nowhere does. It equals vips_find_trim, which always looks at every pixel.
func (m *Image) Content(threshold float64) (x, y, w, h int) {
	s := newSpecks(m, threshold)
	top := 0
	for top < m.H && s.first(top, 0, m.W) < 0 {
		top++
	}
	if top == m.H {
		return 0, 0, 0, 0
	}
	bottom := m.H - 1
	for s.first(bottom, 0, m.W) < 0 {
		bottom--
	}
	left, right := m.W, -1
	for y := top; y <= bottom; y++ {
		if x := s.first(y, 0, left); x >= 0 {
			left = x
		}
		if x := s.last(y, right+1, m.W); x >= 0 {
			right = x
		}
	}
	return left, top, right + 1 - left, bottom + 1 - top
}

// specks counts around a pixel how many of 3×3 are above a background's level and how many
// below. The median is above or below where five are.
type specks struct {
	m *Image
	// side has, for each channel and level, a one in the channel's field of five bits for
	// above or in that for below.
	side [3][256]uint32
}

func newSpecks(m *Image, threshold float64) *specks {
	s := &specks{m: m}
	for c := range s.side {
		for v := range s.side[c] {
			switch d := float64(v) - float64(m.Pix[c]); {
			case d > threshold:
				s.side[c][v] = 1 << (10 * c)
			case -d > threshold:
				s.side[c][v] = 1 << (10*c + 5)
			}
		}
	}
	return s
}

// five are 11 in each field: with them a count of five or more reaches the field's last bit.
const five, reached = 0b01011_01011_01011_01011_01011_01011, 0b10000_10000_10000_10000_10000_10000

// column counts the three pixels at x of the rows around y; at edges the image goes on.
func (s *specks) column(x, y int) uint32 {
	x = max(0, min(x, s.m.W-1))
	n := uint32(0)
	for dy := -1; dy <= 1; dy++ {
		i := 3 * (max(0, min(y+dy, s.m.H-1))*s.m.W + x)
		n += s.side[0][s.m.Pix[i]] + s.side[1][s.m.Pix[i+1]] + s.side[2][s.m.Pix[i+2]]
	}
	return n
}

// first returns the first x of row y from x1 to before x2 that is no background, or -1.
func (s *specks) first(y, x1, x2 int) int {
	a, b := s.column(x1-1, y), s.column(x1, y)
	for x := x1; x < x2; x++ {
		c := s.column(x+1, y)
		if (a+b+c+five)&reached != 0 {
			return x
		}
		a, b = b, c
	}
	return -1
}

// last returns the last one.
func (s *specks) last(y, x1, x2 int) int {
	a, b := s.column(x2, y), s.column(x2-1, y)
	for x := x2 - 1; x >= x1; x-- {
		c := s.column(x-1, y)
		if (a+b+c+five)&reached != 0 {
			return x
		}
		a, b = b, c
	}
	return -1
}
