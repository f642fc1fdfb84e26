package pipeline

import "errors"

// Denoise smooths by one of two filters.
type Denoise struct {
	Median   int     `yaml:"median,omitempty"`   // side of the window, pixels: 3, 5, … 15
	Gaussian float64 `yaml:"gaussian,omitempty"` // sigma, 0.3 to 20 pixels
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

func (d *Denoise) apply(w *work) error {
	if d.Median != 0 {
		return w.flow.Median(d.Median)
	}
	return w.flow.Gaussian(d.Gaussian)
}

// Sharpen is an unsharp mask: x + Amount·(x − Gaussian(x)).
type Sharpen struct {
	Sigma  float64 `yaml:"sigma"`  // of the Gaussian, 0.3 to 20 pixels
	Amount float64 `yaml:"amount"` // 0 to 10
}

func (s *Sharpen) check() error {
	return errors.Join(within("sigma", s.Sigma, 0.3, 20), within("amount", s.Amount, 0, 10))
}

func (s *Sharpen) apply(w *work) error { return w.flow.Sharpen(s.Sigma, s.Amount) }
