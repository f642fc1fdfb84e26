package modelfile

import (
	"cmp"
	"regexp"
	"strings"

	"trilobite/augment"
	"trilobite/nn"
	"trilobite/optim"
	"trilobite/step"
	"trilobite/train"
)

// backbone begins the names of the backbone's parameters.
const backbone = "backbone."

// Recipe returns the training of a network that Build made: what comes after the backbone
// in every stage, and of the backbone all of it, or where it is frozen what a stage
// unfreezes. Norms and biases do not decay. The BatchNorms stay in the modes that the
// graph has.
func (s *Spec) Recipe(net *nn.Network) (train.Recipe, error) {
	vector := map[string]bool{}
	for _, v := range net.Params {
		vector[v.Name] = len(v.Shape) < 2
	}
	r := train.Recipe{
		Batch: s.Training.Batch, Whole: true, ClipNorm: s.Training.ClipNorm, EMA: s.Training.EMA, BatchNorm: step.AsGiven,
		NoDecay: func(name string) bool { return vector[name] },
	}
	for _, st := range s.Training.Stages {
		of, err := s.trainable(st)
		if err != nil {
			return r, err
		}
		factor := cmp.Or(st.BackboneRate, 0.1)
		r.Stages = append(r.Stages, train.Stage{
			Name: st.Name, Trainable: of, Epochs: st.Epochs, Rule: st.rule(), Schedule: st.schedule,
			LRScale: func(name string) float64 {
				if strings.HasPrefix(name, backbone) {
					return factor
				}
				return 1
			},
		})
	}
	return r, nil
}

func (s *Spec) trainable(st Stage) (func(name string) bool, error) {
	re, err := regexp.Compile(st.Unfreeze)
	if err != nil {
		return nil, err
	}
	return func(name string) bool {
		return !strings.HasPrefix(name, backbone) || !s.Backbone.Freeze || st.Unfreeze != "" && re.MatchString(name)
	}, nil
}

func (st Stage) rule() optim.Rule {
	if st.Optimiser == "sgd" {
		return optim.SGD{Momentum: st.Momentum, WeightDecay: st.WeightDecay}
	}
	rule := optim.NewAdamW()
	rule.WeightDecay = st.WeightDecay
	return rule
}

// schedule is the stage's learning rate over n updates.
func (st Stage) schedule(n int64) optim.Schedule {
	warm := int64(st.WarmUp * float64(n))
	var then optim.Schedule
	switch st.Schedule {
	case "cosine":
		then = optim.Cosine{Rate: st.LR, Steps: n - warm}
	case "poly":
		then = optim.Poly{Rate: st.LR, Steps: n - warm, Power: 0.9}
	case "one-cycle":
		return optim.NewOneCycle(st.LR, n) // which has its own way up
	default:
		then = optim.Constant(st.LR)
	}
	if warm > 0 {
		return optim.WarmUp{Then: then, Steps: warm, From: 0.01}
	}
	return then
}

// Plan returns the changes of training pictures.
func (a Augmentation) Plan() augment.Plan {
	p := augment.Plan{HorizontalFlip: a.Flip, Scale: a.Scale, Rotate: a.Rotate, Brightness: a.Color, Contrast: a.Color, Saturation: a.Color}
	return p
}
