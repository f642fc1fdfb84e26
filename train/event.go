package train

import (
	"time"
)

// Event is something that happened in a training.
type Event struct {
	Kind            string // "start", "features", "step", "evaluation", "checkpoint", "stage" or "done"
	Time            time.Time
	Stage           string
	Epoch, Epochs   int   // from 1 and in all, over all stages; Epochs is 0 until a stage begins
	Step, Steps     int64 // done and in all, of the whole training; of kind "features", samples
	Loss, LR        float64
	ImagesPerSecond float64
	Metrics         map[string]float64 // of kind "evaluation", and the best of kind "done"
	ETA             time.Duration      // until the end, as far as can be told
}

// pace measures speed over the last few seconds, without what is not a step.
type pace struct {
	perStep, perEvaluation time.Duration // moving averages
	images                 float64       // a step
}

// smooth is how much of a moving average each new value replaces.
const smooth = 0.1

func average(old, now time.Duration) time.Duration {
	if old == 0 {
		return now
	}
	return old + time.Duration(smooth*float64(now-old))
}

func (p *pace) step(took time.Duration, images int) {
	p.perStep = average(p.perStep, took)
	if p.images == 0 {
		p.images = float64(images)
	}
	p.images += smooth * (float64(images) - p.images)
}

func (p *pace) evaluation(took time.Duration) { p.perEvaluation = average(p.perEvaluation, took) }

func (p *pace) imagesPerSecond() float64 {
	if p.perStep == 0 {
		return 0
	}
	return p.images / p.perStep.Seconds()
}

func (p *pace) eta(steps, evaluations int64) time.Duration {
	return time.Duration(steps)*p.perStep + time.Duration(evaluations)*p.perEvaluation
}
