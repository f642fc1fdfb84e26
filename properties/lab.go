package properties

import (
	"math"
	"sync"
)

// lab is a colour in Oklab: lightness 0 to 1 and two opponent axes; equal distances
// look about equally different. 0.02 is just visible. Source: B. Ottosson, "A
// perceptual color space for image processing", 2020.
type lab struct{ l, a, b float64 }

func (c lab) distance2(d lab) float64 {
	l, a, b := c.l-d.l, c.a-d.a, c.b-d.b
	return l*l + a*a + b*b
}

func (c lab) distance(d lab) float64 { return math.Sqrt(c.distance2(d)) }

// chroma is the distance from grey; the strongest sRGB colours have 0.32.
func (c lab) chroma() float64 { return math.Hypot(c.a, c.b) }

// linear is the sRGB transfer function (IEC 61966-2-1) of the 256 values.
var linear = sync.OnceValue(func() *[256]float64 {
	var t [256]float64
	for i := range t {
		v := float64(i) / 255
		if v <= 0.04045 {
			t[i] = v / 12.92
		} else {
			t[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return &t
})

// toLab converts 8-bit sRGB.
func toLab(r8, g8, b8 uint8) lab {
	t := linear()
	r, g, b := t[r8], t[g8], t[b8]
	l := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*b)
	m := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*b)
	s := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*b)
	return lab{
		0.2104542553*l + 0.7936177850*m - 0.0040720468*s,
		1.9779984951*l - 2.4285922050*m + 0.4505937099*s,
		0.0259040371*l + 0.7827717662*m - 0.8086757660*s,
	}
}

// rgb converts back to 8-bit sRGB, clipped.
func (c lab) rgb() (r, g, b uint8) {
	l := c.l + 0.3963377774*c.a + 0.2158037573*c.b
	m := c.l - 0.1055613458*c.a - 0.0638541728*c.b
	s := c.l - 0.0894841775*c.a - 1.2914855480*c.b
	l, m, s = l*l*l, m*m*m, s*s*s
	return encode(4.0767416621*l - 3.3077115913*m + 0.2309699292*s),
		encode(-1.2684380046*l + 2.6097574011*m - 0.3413193965*s),
		encode(-0.0041960863*l - 0.7034186147*m + 1.7076147010*s)
}

// encode is the inverse of linear.
func encode(v float64) uint8 {
	if v <= 0.0031308 {
		v *= 12.92
	} else {
		v = 1.055*math.Pow(v, 1/2.4) - 0.055
	}
	return uint8(math.Round(255 * min(max(v, 0), 1)))
}

// lightness is CIE L*, 0 to 100, of 8-bit sRGB (CIE 15:2004; Rec. 709 luminance).
func lightness(r, g, b uint8) float64 {
	t := linear()
	y := 0.2126*t[r] + 0.7152*t[g] + 0.0722*t[b]
	if y <= 216.0/24389 {
		return y * 24389 / 27
	}
	return 116*math.Cbrt(y) - 16
}
