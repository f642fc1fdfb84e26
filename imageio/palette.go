package imageio

import (
	"math"
	"sync"
)

// ClassColor returns the colour of a class in pictures and masks. There are 256, then
// they repeat. The first ones are told apart also by people who do not see red, green or
// blue; no table can do that for dozens, so pictures name their classes as well.
func ClassColor(class int) [3]uint8 { return classColors()[uint8(class)] }

// okabeIto are the colours of Okabe and Ito, Color Universal Design (2008), without
// black, those first that differ most.
var okabeIto = [...][3]uint8{
	{0, 114, 178}, {230, 159, 0}, {0, 158, 115}, {204, 121, 167}, {86, 180, 233}, {213, 94, 0}, {240, 228, 66},
}

// classColors continues okabeIto: each further colour is the one of a grid whose nearest
// neighbour among those before is farthest away in OKLab, the distance being the least of
// what normal and colour-blind eyes see.
var classColors = sync.OnceValue(func() (table [256][3]uint8) {
	var grid [][3]uint8
	for r := 0; r < 256; r += 36 {
		for g := 0; g < 256; g += 36 {
			for b := 0; b < 256; b += 36 {
				c := [3]uint8{uint8(r), uint8(g), uint8(b)}
				if l := oklab(linear(c))[0]; l > 0.35 && l < 0.93 { // neither black nor white
					grid = append(grid, c)
				}
			}
		}
	}
	nearest := make([]float64, len(grid))
	views := make([][4][3]float64, len(grid))
	for i, c := range grid {
		nearest[i], views[i] = math.Inf(1), seenAs(c)
	}
	for n := range table {
		best := 0
		for i := range grid {
			if nearest[i] > nearest[best] {
				best = i
			}
		}
		table[n] = grid[best]
		if n < len(okabeIto) {
			table[n] = okabeIto[n]
		}
		v := seenAs(table[n])
		for i := range grid {
			nearest[i] = min(nearest[i], apart(views[i], v))
		}
	}
	return table
})

// seenAs returns a colour in OKLab as normal eyes see it, and eyes without the receptors
// for long, middle and short waves. Source: Machado, Oliveira and Fernandes, A
// Physiologically-based Model for Simulation of Color Vision Deficiency, IEEE TVCG 15
// (2009), matrices of severity 1.
func seenAs(c [3]uint8) (views [4][3]float64) {
	x := linear(c)
	for i, m := range [4][3][3]float64{
		{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
		{{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
		{{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
		{{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
	} {
		y := apply(m, x)
		for j := range y {
			y[j] = max(0, min(1, y[j]))
		}
		views[i] = oklab(y)
	}
	return views
}

// apart is the least distance of two colours over the views; 1 is black from white.
func apart(a, b [4][3]float64) float64 {
	least := math.Inf(1)
	for i := range a {
		least = min(least, math.Hypot(math.Hypot(a[i][0]-b[i][0], a[i][1]-b[i][1]), a[i][2]-b[i][2]))
	}
	return least
}

// linear converts sRGB to linear light, 0 to 1 (IEC 61966-2-1).
func linear(c [3]uint8) (x [3]float64) {
	for i, v := range c {
		x[i] = float64(v) / 255
		if x[i] <= 0.04045 {
			x[i] /= 12.92
		} else {
			x[i] = math.Pow((x[i]+0.055)/1.055, 2.4)
		}
	}
	return x
}

// oklab converts linear sRGB to OKLab (Björn Ottosson, A perceptual color space for image
// processing, 2020).
func oklab(x [3]float64) [3]float64 {
	lms := apply([3][3]float64{
		{0.4122214708, 0.5363325363, 0.0514459929},
		{0.2119034982, 0.6806995451, 0.1073969566},
		{0.0883024619, 0.2817188376, 0.6299787005},
	}, x)
	for i := range lms {
		lms[i] = math.Cbrt(lms[i])
	}
	return apply([3][3]float64{
		{0.2104542553, 0.7936177850, -0.0040720468},
		{1.9779984951, -2.4285922050, 0.4505937099},
		{0.0259040371, 0.7827717662, -0.8086757660},
	}, lms)
}

func apply(m [3][3]float64, x [3]float64) (y [3]float64) {
	for i := range y {
		y[i] = m[i][0]*x[0] + m[i][1]*x[1] + m[i][2]*x[2]
	}
	return y
}

// ink returns black or white, whichever is read better on c (WCAG 2, relative luminance).
func ink(c [3]uint8) [3]uint8 {
	x := linear(c)
	if 0.2126*x[0]+0.7152*x[1]+0.0722*x[2] > 0.179 {
		return [3]uint8{}
	}
	return [3]uint8{255, 255, 255}
}
