package learn

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"trilobite/atomicfile"
	"trilobite/custom"
	"trilobite/dataset"
	"trilobite/metric"
	"trilobite/pipeline"
	"trilobite/train/detection"
)

// How large a detector's input is to be. Objects that are small on the usual one are lost;
// one of twice the pixels takes twice the time, to learn and to serve. Larger ones are tried
// where many objects are small, for a part of the usual epochs.
const (
	smallSide  = 32   // pixels of the input: COCO calls what is below 32×32 small
	smallShare = 0.25 // of the objects
	largest    = 4    // times the usual pixels
	trialPart  = 4    // of the epochs, as a divisor
	draws      = 200  // of the held-out images, for the standard error
	inputsFile = "inputs.json"
)

// boxSearch looks for the input of a detector: the usual one, or one of more pixels that
// finds surely more in the images that are held out.
type boxSearch struct {
	*boxTraining

	tried []inputTrial
}

// inputTrial is an input that was tried, or skipped, as it is kept in the training's folder.
type inputTrial struct {
	Times   int       `json:"times"` // the usual pixels
	AP50    float64   `json:"ap50"`  // of the images that were held out
	Draws   []float64 `json:"draws"` // the same of sets drawn from them, by one seed
	Steps   int64     `json:"steps"`
	Seconds float64   `json:"seconds"`
	Skipped string    `json:"skipped,omitempty"`
}

// find returns the input, and what was tried. Where objects are large enough nothing is.
func (s *boxSearch) find(ctx context.Context) (pipeline.Spec, []custom.Trial, error) {
	s.recall()
	best := inputTrial{Times: 1}
	for times := 1; times <= largest && s.small(s.input(times/2)); times *= 2 {
		t, err := s.try(ctx, times, best)
		if err != nil {
			return pipeline.Spec{}, nil, err
		}
		if t.Skipped != "" || times > 1 && !t.surelyBetter(best) {
			break
		}
		best = t
	}
	if len(s.tried) == 0 {
		s.tried = []inputTrial{best}
	}
	var told []custom.Trial
	for _, t := range s.tried {
		told = append(told, custom.Trial{
			Network: backbone, Size: s.input(t.Times).Width, Learned: "pyramid and head", Mirrored: true, Rate: detection.Rate, Decay: detection.Decay,
			Steps: t.Steps, AP50: t.AP50, Seconds: t.Seconds, Skipped: t.Skipped, Chosen: t.Times == best.Times,
		})
	}
	return s.input(best.Times), told, nil
}

// input is the usual input with so many times its pixels.
func (s *boxSearch) input(times int) pipeline.Spec {
	spec := s.usual
	if times > 1 {
		round := func(side int) int { return int(math.Round(float64(side)*math.Sqrt(float64(times))/32)) * 32 }
		spec.Width, spec.Height = round(spec.Width), round(spec.Height)
	}
	return spec
}

// small reports whether many objects are small on an input.
func (s *boxSearch) small(spec pipeline.Spec) bool {
	few, all := 0, 0
	for _, img := range s.set.Images {
		if img.W < 1 || img.H < 1 {
			continue
		}
		scale := float64(spec.Width*spec.Height) / float64(img.W*img.H)
		for _, o := range img.Objects {
			all++
			if o.Box.Area()*scale < smallSide*smallSide {
				few++
			}
		}
	}
	return all > 0 && float64(few) >= smallShare*float64(all)
}

// try learns on an input of so many times the usual pixels for a part of the epochs, if
// there is time for that and then for all of them.
func (s *boxSearch) try(ctx context.Context, times int, best inputTrial) (inputTrial, error) {
	for _, t := range s.tried {
		if t.Times == times {
			return t, nil
		}
	}
	t := inputTrial{Times: times}
	begun, spec := time.Now(), s.input(times)
	if err := s.lasts(best.Seconds * float64(times) / float64(best.Times)); err != nil {
		t.Skipped = err.Error()
		return t, s.note(ctx, t)
	}
	dir := ""
	if s.run.Dir != "" {
		dir = filepath.Join(s.run.Dir, fmt.Sprint("input-", times))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return t, err
		}
	}
	epochs := max(2, cmp.Or(s.Epochs, detection.Epochs(len(s.set.Part(dataset.Train))))/trialPart)
	what := fmt.Sprintf("An input of %d×%d pixels is tried", spec.Width, spec.Height)
	m, card, err := s.learn(ctx, spec, detection.Params{Epochs: epochs, Budget: s.left() / (1 + trialPart)}, dir, what)
	if err != nil {
		return t, err
	}
	out := held(s.set)
	seen, err := s.answers(ctx, s.run, card, m.Graph, out)
	if err != nil {
		return t, err
	}
	t.AP50, t.Draws = ap50(out, seen)
	t.Steps, t.Seconds = m.Steps, time.Since(begun).Seconds()
	if err := s.note(ctx, t); err != nil {
		return t, err
	}
	return t, os.RemoveAll(dir)
}

// lasts fails with late where a trial of so many seconds, or the training that would follow,
// would not be done in time.
func (s *boxSearch) lasts(seconds float64) error {
	need, spent := time.Duration(seconds*float64(time.Second)), s.spent()
	left := time.Duration(math.MaxInt64)
	if s.Search > 0 {
		left = s.Search - spent
	} else if s.Budget > 0 {
		left = s.Budget/2 - spent
	}
	if s.Budget > 0 {
		left = min(left, s.Budget-trialPart*need-spent)
	}
	if need > left {
		return late{need, left}
	}
	return nil
}

// note keeps a trial, and tells the log.
func (s *boxSearch) note(ctx context.Context, t inputTrial) error {
	s.tried = append(s.tried, t)
	spec := s.input(t.Times)
	cmp.Or(s.Log, slog.Default()).InfoContext(ctx, "training tried", "model", s.run.Name, "width", spec.Width, "height", spec.Height,
		"AP50", t.AP50, "steps", t.Steps, "seconds", t.Seconds, "skipped", t.Skipped)
	if s.run.Dir == "" {
		return nil
	}
	data, err := json.Marshal(s.tried)
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(filepath.Join(s.run.Dir, inputsFile), data, atomicfile.Perm)
}

// recall reads what was tried before the training was taken up again. What is not whole
// counts as nothing.
func (s *boxSearch) recall() {
	if s.run.Dir == "" {
		return
	}
	data, err := os.ReadFile(filepath.Join(s.run.Dir, inputsFile))
	if err != nil || json.Unmarshal(data, &s.tried) != nil {
		s.tried = nil
	}
	for _, t := range s.tried {
		if t.Skipped == "" && len(t.Draws) != draws {
			s.tried = nil
			return
		}
		s.before += time.Duration(t.Seconds * float64(time.Second))
	}
}

// surelyBetter reports whether a's AP50 is above b's by more than the standard error of their
// difference, by bootstrap.
func (t inputTrial) surelyBetter(b inputTrial) bool {
	var mean, square float64
	for i := range t.Draws {
		d := t.Draws[i] - b.Draws[i]
		mean += d / draws
		square += d * d / draws
	}
	return t.AP50-b.AP50 > math.Sqrt(max(square-mean*mean, 0))
}

// ap50 is COCO's AP at an IoU of 0.5 of what is seen in images, and that of draws with
// replacement from them, which are the same for any models.
func ap50(images []dataset.Image, seen [][]custom.Prediction) (all float64, drawn []float64) {
	matched := make([]metric.Matched, len(images))
	for i, list := range seen {
		found := make([]metric.Prediction, len(list))
		for k, p := range list {
			found[k] = metric.Prediction{Class: p.Class, Score: p.Score, Box: *p.Box}
		}
		one := dataset.Set{Images: images[i : i+1]}
		matched[i] = metric.MatchImage(one.Truth(), found)
	}
	_, all = metric.AP(matched)
	r := rand.New(rand.NewPCG(seed, draws)) //nolint:gosec // statistics, not secrets
	for range draws {
		some := slices.Clone(matched)
		for i := range some {
			some[i] = matched[r.IntN(len(matched))]
		}
		_, v := metric.AP(some)
		drawn = append(drawn, v)
	}
	return all, drawn
}
