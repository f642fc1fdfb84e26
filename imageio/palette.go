package imageio

import "math"

// classColor returns a colour for a class number: hues a golden angle apart, so that
// classes next to each other differ most, at three lightnesses.
func classColor(class int) [3]uint8 {
	const golden = 137.508 // degrees
	hue := math.Mod(float64(uint32(class))*golden+210, 360)
	light := []float64{0.55, 0.42, 0.68}[uint32(class)/12%3]
	return hsl(hue, 0.85, light)
}

// hsl converts hue in degrees, saturation and lightness of 0 to 1 to sRGB (CSS Color 4, 7.1).
func hsl(h, s, l float64) [3]uint8 {
	a := s * min(l, 1-l)
	f := func(n float64) uint8 {
		k := math.Mod(n+h/30, 12)
		return uint8(math.Round(255 * (l - a*max(-1, min(k-3, 9-k, 1)))))
	}
	return [3]uint8{f(0), f(8), f(4)}
}

// ink returns black or white, whichever is read better on c (WCAG 2, relative luminance).
func ink(c [3]uint8) [3]uint8 {
	linear := func(v uint8) float64 { return math.Pow(float64(v)/255, 2.2) }
	if 0.2126*linear(c[0])+0.7152*linear(c[1])+0.0722*linear(c[2]) > 0.179 {
		return [3]uint8{}
	}
	return [3]uint8{255, 255, 255}
}
