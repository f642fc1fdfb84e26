package check

import (
	"trilobite/dataset"
)

// classes looks at how many pictures each class has; pixels are those of masks, nil where
// there are none.
func (c *checker) classes(pixels []int64) {
	counts := map[string][]int{} // pictures by class, by part
	parts := map[string]int{}
	labelled := false
	for i := range c.set.Images {
		img := &c.set.Images[i]
		split := img.Split
		if split == "" {
			split = dataset.Train
		}
		if counts[split] == nil {
			counts[split] = make([]int, len(c.set.Classes))
		}
		parts[split]++
		for class := range shown(img) {
			counts[split][class]++
		}
		labelled = labelled || len(img.Classes) > 0
	}
	where := c.list()
	train, most := counts[dataset.Train], 0
	if train == nil {
		train = make([]int, len(c.set.Classes))
	}
	for _, n := range train {
		most = max(most, n)
	}
	for class, name := range c.set.Classes {
		n := train[class]
		switch {
		case name == "":
		case pixels != nil:
			if pixels[class] == 0 {
				c.addf(Warning, "no-class", where, 0, "no mask has a pixel of the class %q", name)
			}
		case n == 0:
			c.addf(Error, "no-class", where, 0, "no picture to train on shows the class %q", name)
		case n < c.Few:
			c.addf(Warning, "few", where, 0, "%d pictures to train on show the class %q", n, name)
		}
		if n > 0 && float64(n)*c.Balance < float64(most) {
			c.addf(Warning, "unbalanced", where, 0, "%d pictures show the class %q, and %d the most frequent one", n, name, most)
		}
		for _, split := range []string{dataset.Val, dataset.Test} {
			if pixels == nil && n > 0 && parts[split] > 0 && counts[split][class] == 0 {
				c.addf(Warning, "missing", where, 0, "the %s part has no picture of the class %q", split, name)
			}
		}
	}
	if !labelled {
		return
	}
	for i := range c.set.Images {
		if img := &c.set.Images[i]; len(img.Classes)+len(img.Objects) == 0 && img.Mask == "" {
			c.atf(Warning, "unlabelled", img, img.Line, "it has no label, and others have")
		}
	}
}

// list is the file that names the classes' pictures, as far as there is one.
func (c *checker) list() string {
	for _, img := range c.set.Images {
		if img.Source != "" {
			return img.Source
		}
	}
	return "classes"
}

// shown returns the classes of a picture and its objects.
func shown(img *dataset.Image) map[int]bool {
	all := map[int]bool{}
	for _, class := range img.Classes {
		all[class] = true
	}
	for _, o := range img.Objects {
		all[o.Class] = true
	}
	return all
}
