package modelfile

import (
	"cmp"

	"trilobite/nn"
	"trilobite/optim"
	"trilobite/step"
	"trilobite/train"
)

// Recipe is the file's training for a network; head tells the parameters that are new
// from those of the backbone, names being those of the backbone.
//
// A backbone with weights keeps its BatchNorms' statistics, of many more pictures than a
// batch has; one that begins at random has none to keep. Heads that have BatchNorms, all
// but a classifier's, are put into training mode by the caller (step.AsGiven).
func (s *Spec) Recipe(net *nn.Network, head func(name string) bool) (train.Recipe, error) {
	t := s.Training
	vector := map[string]bool{} // biases and norms do not decay
	var backbone []string
	for _, v := range net.Params {
		vector[v.Name] = len(v.Shape) < 2
		if !head(v.Name) {
			backbone = append(backbone, v.Name)
		}
	}
	r := train.Recipe{
		Batch: t.Batch, EMA: t.EMA, ClipNorm: t.ClipNorm, BatchNorm: step.Frozen,
		NoDecay: func(name string) bool { return vector[name] },
	}
	switch {
	case !s.Backbone.Trained():
		r.BatchNorm = step.Train
	case s.Task != "classify":
		r.BatchNorm = step.AsGiven
	}
	for _, stage := range t.Stages {
		chosen := func(string) bool { return !s.Backbone.Freeze }
		if stage.Unfreeze != "" {
			var err error
			if chosen, err = train.Unfrozen(backbone, stage.Unfreeze); err != nil {
				return r, err
			}
		}
		r.Stages = append(r.Stages, train.Stage{
			Name: stage.Name, Epochs: stage.Epochs, Rule: stage.rule(), Schedule: stage.schedule(),
			Trainable: func(name string) bool { return head(name) || chosen(name) },
			LRScale: func(name string) float64 {
				if head(name) || !s.Backbone.Trained() {
					return 1
				}
				return cmp.Or(stage.BackboneRate, 0.1)
			},
		})
	}
	return r, nil
}

func (s Stage) rule() optim.Rule {
	if s.Optimiser == "sgd" {
		return optim.SGD{Momentum: s.Momentum, WeightDecay: s.WeightDecay}
	}
	rule := optim.NewAdamW()
	rule.WeightDecay = s.WeightDecay
	return rule
}

// schedule makes the rates of a stage of so many updates.
func (s Stage) schedule() func(updates int64) optim.Schedule {
	return func(n int64) optim.Schedule {
		rise := int64(s.WarmUp * float64(n))
		var then optim.Schedule
		switch s.Schedule {
		case "cosine":
			then = optim.Cosine{Rate: s.LR, Steps: n - rise}
		case "poly":
			then = optim.Poly{Rate: s.LR, Steps: n - rise, Power: 0.9}
		case "one-cycle": // rises by itself
			return optim.NewOneCycle(s.LR, n)
		default:
			then = optim.Constant(s.LR)
		}
		if rise == 0 {
			return then
		}
		return optim.WarmUp{Then: then, Steps: rise, From: 0.01}
	}
}

// BalancePower says how much rare classes weigh in the loss: a class weighs its share of
// the samples to the power of minus this.
func (t Training) BalancePower() float64 {
	switch t.Balance {
	case "inverse":
		return 1
	case "sqrt":
		return 0.5
	case "fourth-root":
		return 0.25
	default:
		return 0
	}
}
