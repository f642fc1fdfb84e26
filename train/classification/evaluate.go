package classification

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"trilobite"
	"trilobite/classify"
	"trilobite/dataset"
	"trilobite/imageio"
	"trilobite/metric"
	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/pipeline"
	"trilobite/runs"
)

const (
	mostWorst = 12   // wrong answers that are shown
	thumbSide = 320  // longer side of their pictures, pixels
	thumbJPEG = 80   // quality
	bins      = 15   // of the calibration
	rounds    = 1000 // of the bootstrap
)

// answer is what the network says of a picture.
type answer struct {
	picture dataset.Image
	best    trilobite.Classification
	thumb   []byte
}

func (a answer) right() bool { return a.best.Class == a.picture.Classes[0] }

// Evaluate runs a trained network as it is served on pictures of one class each, and
// counts. Of the wrong answers it keeps the surest ones, with small pictures. What cannot
// be read counts nowhere.
func Evaluate(ctx context.Context, rt *ort.Runtime, set *dataset.Set, s pipeline.Spec, g *onnx.Graph, o ort.Options) (*runs.Evaluation, error) {
	answers, err := askAll(ctx, rt, set, classify.Config{Pipeline: s, Decoder: "softmax", Labels: set.Classes}, g, o, ask)
	if err != nil {
		return nil, err
	}
	return figures(set.Classes, answers), nil
}

// askAll shows the pictures to the network by ask and returns its answers, those about
// pictures that cannot be read left out.
func askAll[A any](ctx context.Context, rt *ort.Runtime, set *dataset.Set, c classify.Config, g *onnx.Graph, o ort.Options,
	ask func(context.Context, *classify.Classifier, dataset.Image, *imageio.Image) (*A, error),
) ([]*A, error) {
	data, err := onnx.Marshal(g)
	if err != nil {
		return nil, err
	}
	o.Name, o.MaxQueue = g.Name, 1<<20
	model, err := rt.LoadBytes(ctx, data, o)
	if err != nil {
		return nil, err
	}
	defer model.Close()
	k, err := classify.New(model, c)
	if err != nil {
		return nil, err
	}
	answers := make([]*A, len(set.Images))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * runtime.GOMAXPROCS(0))
	for i, p := range set.Images {
		group.Go(func() error {
			img, err := read(ctx, k, p)
			if img == nil || err != nil {
				return err
			}
			if answers[i], err = ask(ctx, k, p, img); err != nil {
				return fmt.Errorf("%s: %w", p.File, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(answers, func(a *A) bool { return a == nil }), nil
}

// read decodes a picture; nil is one that cannot be read.
func read(ctx context.Context, k *classify.Classifier, p dataset.Image) (*imageio.Image, error) {
	data, err := os.ReadFile(p.File)
	if err != nil {
		return nil, err
	}
	img, err := imageio.Decode(ctx, data, imageio.Options{MinSide: k.Spec().MinSide()})
	if code := trilobite.CodeOf(err); code == trilobite.InvalidImage || code == trilobite.ImageTooLarge {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("%s: %w", p.File, err)
	}
	return img, nil
}

// ask shows a picture to the network.
func ask(ctx context.Context, k *classify.Classifier, p dataset.Image, img *imageio.Image) (*answer, error) {
	seen, err := k.Classify(ctx, img, 0, 1)
	if err != nil {
		return nil, err
	}
	a := &answer{picture: p, best: seen[0]}
	if !a.right() {
		a.thumb, err = thumb(img)
	}
	return a, err
}

func thumb(img *imageio.Image) ([]byte, error) {
	scale := min(1, float64(thumbSide)/float64(max(img.W, img.H)))
	small, err := img.Resize(max(1, int(scale*float64(img.W))), max(1, int(scale*float64(img.H))), imageio.Bilinear)
	if err != nil {
		return nil, err
	}
	return small.EncodeJPEG(thumbJPEG)
}

func figures(classes []string, answers []*answer) *runs.Evaluation {
	confusion, sure := metric.NewConfusion(len(classes)), metric.NewCalibration(bins)
	var wrong []*answer
	for _, a := range answers {
		confusion.Add(a.picture.Classes[0], a.best.Class)
		sure.Add(float64(a.best.Score), a.right())
		if !a.right() {
			wrong = append(wrong, a)
		}
	}
	e := runs.FromConfusion(classes, confusion, false)
	e.Images, e.Calibration = len(answers), sure.Bins()
	ece := runs.Number(sure.ECE())
	e.ECE = &ece
	if len(answers) > 0 {
		spread := metric.Bootstrap(len(answers), rounds, 1, func(samples []int) float64 {
			n := 0
			for _, i := range samples {
				if answers[i].right() {
					n++
				}
			}
			return float64(n) / float64(len(samples))
		})
		e.Figures[0].Interval = &spread
	}
	slices.SortStableFunc(wrong, func(a, b *answer) int { return cmp.Compare(b.best.Score, a.best.Score) })
	for _, a := range wrong[:min(mostWorst, len(wrong))] {
		e.Worst = append(e.Worst, runs.Picture{
			File: a.picture.File, Note: fmt.Sprintf("%.0f%% sure", 100*a.best.Score),
			Truth: classes[a.picture.Classes[0]], Predicted: a.best.Name, Image: a.thumb,
		})
	}
	return &e
}
