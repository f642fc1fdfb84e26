package properties

import "trilobite/imageio"

// salienceSide bounds the picture that salience is computed on.
const salienceSide = 96

// salience says how much each pixel of a small picture stands out.
type salience struct {
	w, h int
	v    []float64 // 0 to 1 a pixel, 0 all over where nothing stands out
}

// newSalience computes what stands out: pixels whose colour is unlike the colours along
// the picture's border, and edges, both more so near the centre. That the border is
// background is the boundary prior of Y. Wei et al., "Geodesic saliency using
// background priors" (ECCV 2012); the weights are this package's own.
func newSalience(img *imageio.Image) *salience {
	small := shrink(img, salienceSide)
	s := &salience{w: small.W, h: small.H, v: make([]float64, small.W*small.H)}
	colors := make([]lab, len(s.v))
	for i := range colors {
		colors[i] = toLab(small.Pix[3*i], small.Pix[3*i+1], small.Pix[3*i+2])
	}
	border := s.border(colors)
	for y := range s.h {
		for x := range s.w {
			i := y*s.w + x
			// How far the colour is from the border's: 0.25 in Oklab counts as wholly other.
			other, nearest := 0.0, 1.0
			for _, c := range border {
				d := min(1, colors[i].distance(c.at)/0.25)
				other += c.weight * d
				nearest = min(nearest, d)
			}
			edge := 0.0
			if x > 0 {
				edge = colors[i].distance(colors[i-1])
			}
			if y > 0 {
				edge = max(edge, colors[i].distance(colors[i-s.w]))
			}
			s.v[i] = s.centre(x, y) * (0.7*nearest*(0.5+0.5*other) + 0.3*min(1, edge/0.2))
		}
	}
	s.smooth(max(1, max(s.w, s.h)/32))
	s.scale()
	return s
}

// border returns the dominant colours of the outermost pixels, up to 8. Colours with
// less than a twentieth of the border are what touches it, not what it is.
func (s *salience) border(colors []lab) []cluster {
	frame := max(1, min(s.w, s.h)/24)
	var bins []bin
	for y := range s.h {
		for x := range s.w {
			if x < frame || y < frame || x >= s.w-frame || y >= s.h-frame {
				bins = append(bins, bin{colors[y*s.w+x], 1})
			}
		}
	}
	var out []cluster
	sum := 0.0
	for _, c := range kMeans(bins, 8) {
		if c.weight >= 0.05*float64(len(bins)) {
			out = append(out, c)
			sum += c.weight
		}
	}
	for i := range out {
		out[i].weight /= sum
	}
	return out
}

// centre weighs a pixel by its place: 1 in the middle, 0.4 in the corners.
func (s *salience) centre(x, y int) float64 {
	dx, dy := 2*(float64(x)+0.5)/float64(s.w)-1, 2*(float64(y)+0.5)/float64(s.h)-1
	return 1 - 0.3*(dx*dx+dy*dy)
}

// smooth replaces each value by the mean of the square of the given radius around it.
func (s *salience) smooth(radius int) {
	sum := s.integral()
	for y := range s.h {
		for x := range s.w {
			x1, y1, x2, y2 := max(0, x-radius), max(0, y-radius), min(s.w, x+radius+1), min(s.h, y+radius+1)
			s.v[y*s.w+x] = max(0, sum.box(x1, y1, x2, y2)/float64((x2-x1)*(y2-y1)))
		}
	}
}

// scale divides by the largest value, if that is more than noise would give.
func (s *salience) scale() {
	most := 0.0
	for _, v := range s.v {
		most = max(most, v)
	}
	for i := range s.v {
		if most < 0.02 {
			s.v[i] = 0
		} else {
			s.v[i] /= most
		}
	}
}

// mask is the foreground, true where something stands out.
type mask struct {
	w, h int
	v    []bool
}

// at looks up a place given in fractions of the picture's sides, 0 to 1.
func (m *mask) at(x, y float64) bool {
	return m.v[min(int(y*float64(m.h)), m.h-1)*m.w+min(int(x*float64(m.w)), m.w-1)]
}

// foreground splits the picture in two by Otsu's threshold on salience (IEEE SMC 9,
// 1979). It is nil unless the parts differ: the mean salience inside at least 0.25
// above that outside, and between 1 and 90 percent of the picture inside.
func (s *salience) foreground() *mask {
	var histogram [256]float64
	total, sum := float64(len(s.v)), 0.0
	for _, v := range s.v {
		histogram[int(v*255)]++
		sum += float64(int(v * 255))
	}
	best, threshold, gap, share := 0.0, 0, 0.0, 0.0
	below, belowSum := 0.0, 0.0
	for i, n := range histogram[:255] {
		below += n
		belowSum += float64(i) * n
		above := total - below
		if below == 0 || above == 0 {
			continue
		}
		d := (sum-belowSum)/above - belowSum/below
		if between := below * above * d * d; between > best {
			best, threshold, gap, share = between, i, d/255, above/total
		}
	}
	if gap < 0.25 || share < 0.01 || share > 0.9 {
		return nil
	}
	m := &mask{s.w, s.h, make([]bool, len(s.v))}
	for i, v := range s.v {
		m.v[i] = int(v*255) > threshold
	}
	return m
}

// integral is the table of sums over all boxes from the upper left corner.
type integral struct {
	w   int
	sum []float64
}

func (s *salience) integral() integral {
	t := integral{s.w + 1, make([]float64, (s.w+1)*(s.h+1))}
	for y := range s.h {
		row := 0.0
		for x := range s.w {
			row += s.v[y*s.w+x]
			t.sum[(y+1)*t.w+x+1] = t.sum[y*t.w+x+1] + row
		}
	}
	return t
}

// box is the sum over x1 ≤ x < x2, y1 ≤ y < y2.
func (t integral) box(x1, y1, x2, y2 int) float64 {
	return t.sum[y2*t.w+x2] - t.sum[y1*t.w+x2] - t.sum[y2*t.w+x1] + t.sum[y1*t.w+x1]
}
