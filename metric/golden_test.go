package metric

import (
	"math"
	"slices"
	"strings"
	"testing"

	"trilobite/tensor"
)

// goldens are torchmetrics' figures, which are float32.
const within = 1e-6

func readGolden(t *testing.T) map[string]*tensor.Tensor {
	t.Helper()
	g, err := tensor.ReadNPZ("testdata/metric.npz")
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// numbers returns a golden's elements as float64.
func numbers(t *testing.T, g map[string]*tensor.Tensor, key string) []float64 {
	t.Helper()
	var out []float64
	switch d := g[key].Raw().(type) {
	case []float64:
		return d
	case []float32:
		for _, v := range d {
			out = append(out, float64(v))
		}
	case []int64:
		for _, v := range d {
			out = append(out, float64(v))
		}
	case []uint8:
		for _, v := range d {
			out = append(out, float64(v))
		}
	default:
		t.Fatalf("golden %s is %T", key, d)
	}
	return out
}

func bytesOf(t *testing.T, g map[string]*tensor.Tensor, key string) []uint8 {
	t.Helper()
	d, ok := tensor.Data[uint8](g[key])
	if !ok {
		t.Fatalf("golden %s is not uint8", key)
	}
	return d
}

// scenes returns the names that have a golden called NAME_suffix.
func scenes(t *testing.T, g map[string]*tensor.Tensor, suffix string) []string {
	t.Helper()
	var names []string
	for key := range g {
		if name, ok := strings.CutSuffix(key, suffix); ok {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		t.Fatalf("the goldens have no %s", suffix)
	}
	slices.Sort(names)
	return names
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > within {
		t.Errorf("%s is %v, torchmetrics' %v", what, got, want)
	}
}

func TestConfusionGolden(t *testing.T) {
	t.Parallel()
	g := readGolden(t)
	for _, name := range scenes(t, g, "_confusion") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			classes := int(g[name+"_confusion"].Shape[0])
			truth, pred := bytesOf(t, g, name+"_truth"), bytesOf(t, g, name+"_pred")
			ignore := int(numbers(t, g, name+"_ignore")[0])
			c, second := NewConfusion(classes), NewConfusion(classes) // in two parts, added up
			half := len(truth) / 3
			if err := c.AddMasks(truth[:half], pred[:half], ignore); err != nil {
				t.Fatal(err)
			}
			if err := second.AddMasks(truth[half:], pred[half:], ignore); err != nil {
				t.Fatal(err)
			}
			c.Merge(second)
			for i, want := range numbers(t, g, name+"_confusion") {
				if got := c.Count(i/classes, i%classes); float64(got) != want {
					t.Errorf("count %d, %d is %d, torchmetrics' %v", i/classes, i%classes, got, want)
				}
			}
			for what, figure := range map[string]func(int) float64{"iou": c.IoU, "precision": c.Precision, "recall": c.Recall, "f1": c.F1, "dice": c.F1} {
				for class, want := range numbers(t, g, name+"_"+what) {
					if math.IsNaN(want) && !c.Present(class) {
						continue
					}
					near(t, what, figure(class), want)
				}
			}
			means := numbers(t, g, name+"_means")
			near(t, "mIoU", c.MeanIoU(), means[0])
			near(t, "accuracy", c.Accuracy(), means[1])
			near(t, "mean F1", c.Mean(c.F1), means[2])
		})
	}
}

func TestCurveGolden(t *testing.T) {
	t.Parallel()
	g := readGolden(t)
	for _, name := range scenes(t, g, "_scores") {
		var positive []bool
		for _, p := range bytesOf(t, g, name+"_positive") {
			positive = append(positive, p != 0)
		}
		c := NewCurve(numbers(t, g, name+"_scores"), positive)
		for key, got := range map[string][]float64{"_precision": c.Precision, "_recall": c.Recall, "_threshold": c.Threshold} {
			want := numbers(t, g, name+key)
			if len(got) != len(want) {
				t.Errorf("%s%s has %d points, torchmetrics' %d", name, key, len(got), len(want))
				continue
			}
			for i := range got {
				near(t, name+key, got[i], want[i])
			}
		}
		near(t, name+" AP", c.AveragePrecision(), numbers(t, g, name+"_ap")[0])
	}
}

func TestCalibrationGolden(t *testing.T) {
	t.Parallel()
	g := readGolden(t)
	for _, name := range scenes(t, g, "_confidence") {
		want := numbers(t, g, name+"_ece") // bins, error
		c := NewCalibration(int(want[0]))
		right := bytesOf(t, g, name+"_right")
		for i, p := range numbers(t, g, name+"_confidence") {
			c.Add(p, right[i] != 0)
		}
		near(t, name, c.ECE(), want[1])
	}
}

func TestQuantileGolden(t *testing.T) {
	t.Parallel()
	g := readGolden(t)
	want := numbers(t, g, "quantile_want")
	for i, q := range numbers(t, g, "quantile_at") {
		if got := Quantile(numbers(t, g, "quantile_values"), q); math.Abs(got-want[i]) > 1e-12 {
			t.Errorf("quantile %v is %v, numpy's %v", q, got, want[i])
		}
	}
}
