package masks

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"slices"

	"trilobite/dataset"
	"trilobite/imageio"
)

// Says is what the format can write down.
const Says = dataset.Masks | dataset.Parted | dataset.ClassOrder | dataset.UnusedClasses

// Unlabelled is what pixels that count nowhere are called where they need a name.
const Unlabelled = "unlabelled"

// Write writes images/ beside masks/, below a folder for each split where the set has
// splits, and classes.txt. Every picture has a mask.
func Write(out *dataset.Folder, s *dataset.Set) error {
	table, err := tableOf(s)
	if err != nil {
		return err
	}
	for i := range s.Images {
		img := &s.Images[i]
		if err := out.Add(img.File, dataset.In(img.Name, img.Split, "images")); err != nil {
			return err
		}
		m, err := Load(s, img)
		if err != nil {
			return err
		}
		data, err := m.Encode()
		if err != nil {
			return err
		}
		if err := out.WriteFile(dataset.In(dataset.Stem(img.Name)+".png", img.Split, "masks"), data); err != nil {
			return err
		}
	}
	return out.WriteFile("classes.txt", table)
}

// tableOf returns the table of the classes as ParseTable reads it, or an error where it
// would read something else.
func tableOf(s *dataset.Set) ([]byte, error) {
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	for c, name := range s.Classes {
		fmt.Fprintln(w, c, name)
	}
	if s.Ignore != dataset.NoIgnore {
		fmt.Fprintln(w, IgnoreValue, Unlabelled)
	}
	var back dataset.Set
	if err := errors.Join(w.Flush(), ParseTable(bytes.NewReader(b.Bytes()), &back)); err != nil {
		return nil, fmt.Errorf("the classes cannot stand in a table: %w", err)
	}
	if i := slices.IndexFunc(s.Classes, func(name string) bool { return !slices.Contains(back.Classes, name) }); i >= 0 {
		return nil, fmt.Errorf("the class %q cannot stand in a table of classes: rename it", s.Classes[i])
	}
	return b.Bytes(), nil
}

// Encode returns the mask as a PNG whose pixels are places in a palette of Color's.
func (m *Mask) Encode() ([]byte, error) {
	palette := make(color.Palette, 256)
	for c := range palette {
		v := Color(c)
		palette[c] = color.NRGBA{v[0], v[1], v[2], 255}
	}
	var b bytes.Buffer
	err := png.Encode(&b, &image.Paletted{Pix: m.Pix, Stride: m.W, Rect: image.Rect(0, 0, m.W, m.H), Palette: palette})
	return b.Bytes(), err
}

// Color returns the colour of a class in written masks.
func Color(class int) [3]uint8 { return imageio.ClassColor(class) }
