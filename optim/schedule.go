package optim

import "math"

// Schedule is the learning rate over a training, which is fed to the graph as its input
// "lr". Steps are updates and count from 1; before 1 a schedule has its first value,
// after its last step its last one.
type Schedule interface {
	LR(step int64) float64
}

// Constant is one rate throughout.
type Constant float64

// LR returns the rate.
func (c Constant) LR(int64) float64 { return float64(c) }

// Step multiplies the rate by Gamma after every Every steps: Rate·Gamma^⌊(step−1)/Every⌋.
// Source: torch.optim.lr_scheduler.StepLR.
type Step struct {
	Rate, Gamma float64
	Every       int64
}

// LR returns the rate of a step.
func (s Step) LR(step int64) float64 {
	return s.Rate * math.Pow(s.Gamma, float64(max(step-1, 0)/max(s.Every, 1)))
}

// Poly lets the rate fall as Rate·(1 − (step−1)/Steps)^Power; 0 after Steps. Semantic
// segmentation uses Power 0.9. Source: torch.optim.lr_scheduler.PolynomialLR.
type Poly struct {
	Rate  float64
	Steps int64
	Power float64
}

// LR returns the rate of a step.
func (p Poly) LR(step int64) float64 {
	return p.Rate * math.Pow(1-progress(step, p.Steps), p.Power)
}

// Cosine lets the rate fall from Rate to Min along half a cosine over Steps and stay
// there (PyTorch's would rise again). Source: torch.optim.lr_scheduler.CosineAnnealingLR;
// Loshchilov and Hutter, arXiv:1608.03983, equation 5.
type Cosine struct {
	Rate, Min float64
	Steps     int64
}

// LR returns the rate of a step.
func (c Cosine) LR(step int64) float64 { return anneal(c.Rate, c.Min, progress(step, c.Steps)) }

// OneCycle lets the rate rise from Peak/Div to Peak over the share Start of the steps,
// then fall to Peak/Div/FinalDiv, both along half a cosine. Source:
// torch.optim.lr_scheduler.OneCycleLR with two phases; Smith and Topin, arXiv:1708.07120.
// NewOneCycle has its defaults. The momentum is not cycled: this is PyTorch's with
// cycle_momentum=False, where by default it would move AdamW's β1, or SGD's momentum,
// from 0.95 to 0.85 and back.
type OneCycle struct {
	Peak          float64
	Steps         int64
	Start         float64 // 0 to 1
	Div, FinalDiv float64
}

// NewOneCycle returns the schedule with PyTorch's defaults: Start 0.3, Div 25, FinalDiv 1e4.
func NewOneCycle(peak float64, steps int64) OneCycle {
	return OneCycle{Peak: peak, Steps: steps, Start: 0.3, Div: 25, FinalDiv: 1e4}
}

// LR returns the rate of a step.
func (o OneCycle) LR(step int64) float64 {
	first, t := o.Peak/o.Div, float64(max(step-1, 0))
	turn, end := o.Start*float64(o.Steps)-1, float64(o.Steps-1)
	if t <= turn {
		if turn == 0 {
			return o.Peak
		}
		return anneal(first, o.Peak, t/turn)
	}
	if end <= turn {
		return first / o.FinalDiv
	}
	return anneal(o.Peak, first/o.FinalDiv, min((t-turn)/(end-turn), 1))
}

// WarmUp raises the rate from From times Then's first one to it, in equal parts over
// Steps, and goes on with Then from its first step. Source:
// torch.optim.lr_scheduler.SequentialLR of LinearLR and Then.
type WarmUp struct {
	Then  Schedule
	Steps int64
	From  float64 // 0 to 1; PyTorch's default is 1/3, torchvision's recipes use 0.01
}

// LR returns the rate of a step.
func (w WarmUp) LR(step int64) float64 {
	if step > w.Steps {
		return w.Then.LR(step - w.Steps)
	}
	return w.Then.LR(1) * (w.From + (1-w.From)*progress(step, w.Steps))
}

// progress is the share of steps that lie before a step, 0 to 1.
func progress(step, steps int64) float64 {
	if steps <= 0 {
		return 1
	}
	return float64(min(max(step-1, 0), steps)) / float64(steps)
}

// anneal goes from one value to another along half a cosine; at is 0 to 1.
func anneal(from, to, at float64) float64 {
	return to + (from-to)/2*(math.Cos(math.Pi*at)+1)
}
