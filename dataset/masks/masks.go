// Package masks reads data sets for semantic segmentation: a folder of pictures beside a
// folder of masks of the same names, images/ and masks/, optionally below train/, val/
// and test/ or with those inside. Prefixes are allowed (resized_images/ beside
// resized_masks/).
//
// What a mask's pixels mean stands in classes.txt (table.go); without one, masks of 0 and
// 255, or 0 and 1, are background and foreground, and other numbers are classes without
// names. Decode turns a mask into class numbers. Start at Read.
package masks

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"trilobite/dataset"
	"trilobite/imageio"
)

// Part is a folder of pictures with its masks.
type Part struct {
	Split         string // dataset.Train and so on, or ""
	Images, Masks string // folders, not searched deeper
}

// Find returns the folders of pictures and masks below root, none where there are none.
func Find(root string) ([]Part, error) {
	parts, err := pairs(root, "")
	if err != nil {
		return nil, err
	}
	for _, dir := range folders(root) {
		if split, ok := dataset.SplitOf(dir); ok {
			below, err := pairs(filepath.Join(root, dir), split)
			if err != nil {
				return nil, err
			}
			parts = append(parts, below...)
		}
	}
	slices.SortStableFunc(parts, func(a, b Part) int {
		return slices.Index(dataset.Splits(), a.Split) - slices.Index(dataset.Splits(), b.Split)
	})
	return parts, nil
}

// pairs returns *images/ and *masks/ in dir, or the splits inside of both.
func pairs(dir, split string) ([]Part, error) {
	names := folders(dir)
	var out []Part
	for _, images := range names {
		prefix, ok := strings.CutSuffix(strings.ToLower(images), "images")
		if !ok {
			continue
		}
		i := slices.IndexFunc(names, func(n string) bool {
			return strings.EqualFold(n, prefix+"masks") || strings.EqualFold(n, prefix+"mask")
		})
		if i < 0 {
			continue
		}
		p := Part{split, filepath.Join(dir, images), filepath.Join(dir, names[i])}
		inside := p.inside()
		if split == "" && len(inside) > 0 {
			out = append(out, inside...)
		} else {
			out = append(out, p)
		}
	}
	if len(out) > 1 && out[0].Split == "" {
		return nil, fmt.Errorf("%s holds several pairs of folders: %s and %s, and %s and %s", dir, out[0].Images, out[0].Masks, out[1].Images, out[1].Masks)
	}
	return out, nil
}

// inside returns the splits that both folders hold as folders.
func (p Part) inside() []Part {
	var out []Part
	masks := folders(p.Masks)
	for _, name := range folders(p.Images) {
		if split, ok := dataset.SplitOf(name); ok && slices.Contains(masks, name) {
			out = append(out, Part{split, filepath.Join(p.Images, name), filepath.Join(p.Masks, name)})
		}
	}
	return out
}

func folders(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if !dataset.IsHidden(e.Name()) && e.IsDir() {
			out = append(out, e.Name())
		}
	}
	return out
}

// Read returns the set that Find finds below root. classes is the file that names the
// classes; where it is "", one of TableNames in root is taken, or the masks decide.
//
// A picture without mask, a mask without picture, a pair of different sizes and files
// whose header cannot be read are dropped. The masks' pixels are not looked at, unless
// they have to decide: Scan does it.
func Read(root, classes string) (*dataset.Set, error) {
	parts, err := Find(root)
	if err != nil {
		return nil, err
	}
	if len(parts) == 0 {
		return nil, fmt.Errorf("%s holds no images/ beside masks/", root)
	}
	s := &dataset.Set{Ignore: dataset.NoIgnore}
	for _, p := range parts {
		if err := p.read(s); err != nil {
			return nil, err
		}
	}
	if len(s.Images) == 0 {
		return nil, fmt.Errorf("%s holds no picture with a mask%s", root, first(s))
	}
	if classes == "" {
		classes = findTable(root)
	}
	if classes == "" {
		return s, guess(s)
	}
	return s, readTable(classes, s)
}

func first(s *dataset.Set) string {
	if len(s.Dropped) == 0 {
		return ""
	}
	return ": " + s.Dropped[0].String()
}

// read pairs the pictures of a part with their masks.
func (p Part) read(s *dataset.Set) error {
	pictures, err := files(p.Images)
	if err != nil {
		return err
	}
	masks, err := files(p.Masks)
	if err != nil {
		return err
	}
	stems := map[string]bool{}
	for _, name := range pictures {
		stems[stem(name)] = true
	}
	mask := map[string]string{}
	for _, name := range masks {
		of := stem(name)
		if !stems[of] {
			of = picture(of)
		}
		switch {
		case !stems[of]:
			s.Dropf(filepath.Join(p.Masks, name), 0, "there is no picture of that name in %s", p.Images)
		case mask[of] != "":
			s.Dropf(filepath.Join(p.Masks, name), 0, "%s is a mask of the same picture", mask[of])
		default:
			mask[of] = name
		}
	}
	for _, name := range pictures {
		img := dataset.Image{File: filepath.Join(p.Images, name), Split: p.Split, Mask: filepath.Join(p.Masks, mask[stem(name)])}
		if mask[stem(name)] == "" {
			s.Dropf(img.File, 0, "there is no mask of that name in %s", p.Masks)
		} else if err := measure(&img); err != nil {
			s.Dropf(img.Mask, 0, "%v", err)
		} else {
			s.Images = append(s.Images, img)
		}
	}
	return nil
}

// files returns the names of the pictures in dir, sorted.
func files(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if !e.IsDir() && !dataset.IsHidden(e.Name()) && dataset.IsImageName(e.Name()) {
			out = append(out, e.Name())
		}
	}
	return out, nil
}

func stem(name string) string { return strings.TrimSuffix(name, filepath.Ext(name)) }

// picture is the stem of the picture that a mask belongs to: some tools add a word.
func picture(mask string) string {
	for _, end := range []string{"_mask", "-mask", "_label", "_L"} {
		if cut, ok := strings.CutSuffix(mask, end); ok {
			return cut
		}
	}
	return mask
}

// measure reads the sizes of picture and mask, which must agree.
func measure(img *dataset.Image) error {
	p, err := imageio.ProbeFile(img.File)
	if err != nil {
		return fmt.Errorf("picture %s: %w", filepath.Base(img.File), err)
	}
	m, err := imageio.ProbeFile(img.Mask)
	if err != nil {
		return err
	}
	if m.Format == "jpeg" {
		return errors.New("a JPEG mask: its compression changes pixels' numbers; save masks as PNG")
	}
	if p.W != m.W || p.H != m.H {
		return fmt.Errorf("the mask has %d×%d pixels, its picture %d×%d", m.W, m.H, p.W, p.H)
	}
	img.W, img.H = p.W, p.H
	return nil
}
