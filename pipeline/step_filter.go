package pipeline

import (
	"errors"

	"trilobite/imageio"
)

// CLAHE equalises the luma by the histogram of the Window×Window pixels around each
// pixel, the histogram's counts cut at Slope (Zuiderveld, Graphics Gems IV, 1994); Cb and
// Cr of BT.601 stay, so each channel changes by as much as the luma. The window slides,
// nothing is interpolated between tiles: it is vips_hist_local.
type CLAHE struct {
	Window int `yaml:"window"` // pixels, 2 to 512; at most the image's sides
	Slope  int `yaml:"slope"`  // 1 to 100; 0: no limit
}

func (c *CLAHE) check() error {
	return errors.Join(within("window", float64(c.Window), 2, 512), within("slope", float64(c.Slope), 0, 100))
}

func (c *CLAHE) apply(w *work) error {
	src := w.img.Pix
	y := make([]uint8, len(src)/3)
	bands(len(y), func(from, to int) {
		for i := from; i < to; i++ {
			y[i] = luma(src[3*i], src[3*i+1], src[3*i+2])
		}
	})
	flat, err := imageio.HistLocal(y, w.img.W, w.img.H, c.Window, c.Slope)
	if err != nil {
		return err
	}
	out := w.own()
	bands(len(y), func(from, to int) {
		for i := from; i < to; i++ {
			d := int(flat[i]) - int(y[i])
			for j := 3 * i; j < 3*i+3; j++ {
				out.Pix[j] = uint8(max(0, min(255, int(src[j])+d)))
			}
		}
	})
	w.img = out
	return nil
}

// Denoise smooths by one of two filters.
type Denoise struct {
	Median   int     `yaml:"median"`   // side of the window, pixels: 3, 5, … 15
	Gaussian float64 `yaml:"gaussian"` // sigma, 0.3 to 20 pixels
}

func (d *Denoise) check() error {
	if (d.Median == 0) == (d.Gaussian == 0) {
		return errors.New("it takes either median or gaussian")
	}
	if d.Median != 0 {
		if d.Median%2 == 0 {
			return errors.New("median's window has an even side; it is 3, 5, … 15")
		}
		return within("median", float64(d.Median), 3, 15)
	}
	return within("gaussian", d.Gaussian, 0.3, 20)
}

func (d *Denoise) apply(w *work) (err error) {
	if d.Median != 0 {
		w.img, err = w.img.Median(d.Median)
	} else {
		w.img, err = w.img.Gaussian(d.Gaussian)
	}
	return err
}

// Sharpen is an unsharp mask: x + Amount·(x − Gaussian(x)).
type Sharpen struct {
	Sigma  float64 `yaml:"sigma"`  // of the Gaussian, 0.3 to 20 pixels
	Amount float64 `yaml:"amount"` // 0 to 10
}

func (s *Sharpen) check() error {
	return errors.Join(within("sigma", s.Sigma, 0.3, 20), within("amount", s.Amount, 0, 10))
}

func (s *Sharpen) apply(w *work) error {
	soft, err := w.img.Gaussian(s.Sigma)
	if err != nil {
		return err
	}
	k := int(s.Amount*65536 + 0.5)
	src := w.img.Pix
	bands(len(src), func(from, to int) {
		for i := from; i < to; i++ {
			x := int(src[i])
			soft.Pix[i] = uint8(max(0, min(255, x+((x-int(soft.Pix[i]))*k+0x8000)>>16)))
		}
	})
	w.img = soft
	return nil
}
