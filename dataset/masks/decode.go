package masks

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"os"

	"trilobite/dataset"
	"trilobite/imageio"
)

// Mask is a class for each pixel, row by row from the top: 0 to 254, or IgnoreValue.
type Mask struct {
	W, H int
	Pix  []uint8
}

// Load reads and decodes the mask of a picture of s. A mask of another size than the
// picture, where that is known, is an error.
func Load(s *dataset.Set, img *dataset.Image) (*Mask, error) {
	m, err := load(s, img)
	if err != nil {
		return nil, fmt.Errorf("mask %s: %w", img.Mask, err)
	}
	return m, nil
}

// load is Load whose error does not name the file.
func load(s *dataset.Set, img *dataset.Image) (*Mask, error) {
	data, err := os.ReadFile(img.Mask)
	if err != nil {
		return nil, err
	}
	m, err := Decode(data, s)
	if err == nil && img.W > 0 && (m.W != img.W || m.H != img.H) {
		err = fmt.Errorf("the mask has %d×%d pixels, its picture %d×%d", m.W, m.H, img.W, img.H)
	}
	return m, err
}

// Decode turns a mask file into classes, as the set's Values and Colors say; where both
// are nil, pixels are classes. Of a PNG with a palette, a pixel's number is its place in
// the palette; of a grey one, its level as stored, with as many bits as it has. Colour
// pictures that are grey throughout have numbers too.
func Decode(data []byte, s *dataset.Set) (*Mask, error) {
	n, c, err := pixels(data)
	if err != nil {
		return nil, err
	}
	if n != nil && s.Colors == nil {
		return n, n.recode(s)
	}
	if c == nil { // colours are asked for, of a file of numbers
		c = n.grey()
	}
	return fromColors(c, s)
}

// pixels decodes a file to numbers, if it has some, or to colours; a palette is both.
func pixels(data []byte) (*Mask, *imageio.Image, error) {
	const maxPixels = 100_000_000
	head, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil { // another format; imageio has the limits and the words for it
		c, err := imageio.Decode(context.Background(), data, imageio.Options{})
		return nil, c, err
	}
	if head.Width > maxPixels/head.Height {
		return nil, nil, fmt.Errorf("%d×%d pixels are too many", head.Width, head.Height)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, nil, err
	}
	w, h := head.Width, head.Height
	m := &Mask{w, h, make([]uint8, w*h)}
	switch p := img.(type) {
	case *image.Paletted:
		for y := range h {
			copy(m.Pix[y*w:(y+1)*w], p.Pix[y*p.Stride:])
		}
		c := imageio.New(w, h)
		for i, v := range m.Pix {
			r, g, b, _ := p.Palette[v].RGBA()
			c.Pix[3*i], c.Pix[3*i+1], c.Pix[3*i+2] = uint8(r>>8), uint8(g>>8), uint8(b>>8)
		}
		return m, c, nil
	case *image.Gray:
		// image/png stretches 1, 2 and 4 bits to 8: undo it
		step := uint8(255 / (1<<min(8, data[24]) - 1)) // IHDR's bit depth (PNG, 11.2.2)
		for y := range h {
			for x, v := range p.Pix[y*p.Stride : y*p.Stride+w] {
				m.Pix[y*w+x] = v / step
			}
		}
		return m, nil, nil
	case *image.Gray16:
		for i := range m.Pix {
			if p.Pix[2*i] != 0 {
				return nil, nil, fmt.Errorf("value %d at %d, %d is no class", int(p.Pix[2*i])<<8|int(p.Pix[2*i+1]), i%w, i/w)
			}
			m.Pix[i] = p.Pix[2*i+1]
		}
		return m, nil, nil
	default:
		rgba := image.NewNRGBA(image.Rect(0, 0, w, h))
		draw.Draw(rgba, rgba.Rect, img, img.Bounds().Min, draw.Src)
		c := imageio.New(w, h)
		for i := range m.Pix {
			copy(c.Pix[3*i:3*i+3], rgba.Pix[4*i:])
		}
		return nil, c, nil
	}
}

// recode turns numbers into classes.
func (m *Mask) recode(s *dataset.Set) error {
	to := numbers(s)
	for i, v := range m.Pix {
		c := to[v]
		if c < 0 {
			return fmt.Errorf("value %d at %d, %d is no class", v, i%m.W, i/m.W)
		}
		m.Pix[i] = uint8(c)
	}
	return nil
}

// numbers returns the class of each number, -1 for none.
func numbers(s *dataset.Set) (to [256]int16) {
	for v := range to {
		to[v] = -1
		if c, ok := s.Values[v]; ok {
			to[v] = int16(c)
		} else if s.Values == nil && (v < len(s.Classes) || v == s.Ignore) {
			to[v] = int16(v)
		}
	}
	return to
}

func (m *Mask) grey() *imageio.Image {
	c := imageio.New(m.W, m.H)
	for i, v := range m.Pix {
		c.Pix[3*i], c.Pix[3*i+1], c.Pix[3*i+2] = v, v, v
	}
	return c
}

// fromColors turns colours into classes. Without a table, grey levels are numbers.
func fromColors(c *imageio.Image, s *dataset.Set) (*Mask, error) {
	m := &Mask{c.W, c.H, make([]uint8, c.W*c.H)}
	to := numbers(s)
	var last [3]uint8
	class, known := 0, false
	for i := range m.Pix {
		p := [3]uint8(c.Pix[3*i : 3*i+3])
		if !known || p != last {
			if s.Colors != nil {
				class, known = s.Colors[p]
			} else if known = p[0] == p[1] && p[1] == p[2] && to[p[0]] >= 0; known {
				class = int(to[p[0]])
			}
			if !known {
				return nil, fmt.Errorf("colour %d %d %d at %d, %d is no class", p[0], p[1], p[2], i%c.W, i/c.W)
			}
			last = p
		}
		m.Pix[i] = uint8(class)
	}
	return m, nil
}
