package nn

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/geom"
	"trilobite/grad"
	"trilobite/loss"
	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

// torchvisionFCOS is the detector of golden/fcos.py.
func torchvisionFCOS(t *testing.T) *Detector {
	t.Helper()
	d, err := FCOS(DetectorOptions{
		Backbone: BackboneOptions{Name: "resnet18"}, Classes: 3, Height: 64, Width: 96,
		Neck: PyramidOptions{Channels: 64}, Convs: 2, Corner: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	fill(d.Params)
	return d
}

func rect(x1, y1, x2, y2 float32) geom.Box { return geom.Box{X1: x1, Y1: y1, X2: x2, Y2: y2} }

// fcosBoxes are the boxes of golden/fcos.py, with their classes.
var fcosBoxes = []struct {
	boxes   []geom.Box
	classes []int64
}{
	{[]geom.Box{rect(3, 5, 40, 60), rect(20, 10, 33, 22), rect(50, 2, 90, 30), rect(60, 40, 61.5, 41), rect(0, 0, 96, 64), rect(50, 2, 90, 30)}, []int64{0, 1, 2, 1, 0, 1}},
	{[]geom.Box{rect(10, 12, 30, 30), rect(70.5, 33.25, 88, 61)}, []int64{2, 0}},
}

// Outputs, losses and derivatives against torchvision's FCOS with the same weights.
func TestFCOS(t *testing.T) {
	t.Parallel()
	want, err := tensor.ReadNPZ("testdata/fcos.npz")
	if err != nil {
		t.Fatal(err)
	}
	d := torchvisionFCOS(t)
	a := d.Locations()
	b := onnx.Extend(d.Graph)
	in := []*tensor.Tensor{tensor.Of([]int64{2, 3, 64, 96}, noise(2*3*64*96, 1)), nil, nil, nil}
	n := d.Graph.Inputs[0].Shape[0]
	outputs := slices.Clone(d.Graph.Outputs)
	l, terms := loss.FCOS(b, loss.Detection{
		Logits: outputs[0], Boxes: outputs[1], Quality: outputs[2],
		Class:         b.Input("class", tensor.Int64, onnx.Shape{n, a}),
		TargetBox:     b.Input("box", tensor.Float32, onnx.Shape{n, a, 4}),
		TargetQuality: b.Input("quality_target", tensor.Float32, onnx.Shape{n, a}),
	})
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	var class []int64
	var box, quality []float32
	for _, image := range fcosBoxes {
		targets, err := d.Assign(image.boxes, image.classes, AssignOptions{})
		if err != nil {
			t.Fatal(err)
		}
		c, _ := tensor.Data[int64](targets.Class)
		bx, _ := tensor.Data[float32](targets.Box)
		q, _ := tensor.Data[float32](targets.Quality)
		class, box, quality = append(class, c...), append(box, bx...), append(quality, q...)
	}
	in[1], in[2], in[3] = tensor.Of([]int64{2, a}, class), tensor.Of([]int64{2, a, 4}, box), tensor.Of([]int64{2, a}, quality)

	if err := onnx.Bind(d.Graph, map[string]int64{"N": 2}); err != nil {
		t.Fatal(err)
	}
	var weights []*onnx.Value
	for _, p := range d.Params {
		if want[p.Name] != nil {
			weights = append(weights, p)
		}
	}
	if len(weights) != 9 {
		t.Errorf("%d parameters of the golden's 9", len(weights))
	}
	dW, err := grad.Gradient(d.Graph, l, weights)
	if err != nil {
		t.Fatal(err)
	}
	d.Graph.Outputs = slices.Concat(outputs, []*onnx.Value{terms.Class, terms.Box, terms.Quality}, dW)
	out, err := orttest.Load(t, d.Graph).Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string, got *tensor.Tensor) {
		off, _ := tensor.Data[float32](want[name+".off"])
		near(t, name, got, want[name], 2e-6+4*float64(off[0]))
	}
	check("logits", meanOfLocations(out[0]))
	check("boxes", meanOfLocations(out[1]))
	check("centerness", meanOfLocations(out[2]))
	check("class", out[3])
	check("box", out[4])
	check("quality", out[5])
	for i, w := range weights {
		g, _ := tensor.Data[float32](out[6+i])
		sum := 0.0
		for _, v := range g {
			sum += float64(v) * float64(v)
		}
		check(w.Name, tensor.Vector(g[:min(128, len(g))]...))
		check(w.Name+".norm", tensor.Scalar(float32(math.Sqrt(sum))))
	}
}

// meanOfLocations reduces (N, A, C) or (N, A) over A.
func meanOfLocations(x *tensor.Tensor) *tensor.Tensor {
	d, _ := tensor.Data[float32](x)
	n, a := int(x.Shape[0]), int(x.Shape[1])
	c := len(d) / n / a
	out := make([]float32, n*c)
	for i := range n {
		for j := range c {
			sum := 0.0
			for k := range a {
				sum += float64(d[(i*a+k)*c+j])
			}
			out[i*c+j] = float32(sum / float64(a))
		}
	}
	return tensor.Vector(out...)
}

// Which location learns which box is torchvision's choice, but for two boxes of one place.
func TestAssignTorchvision(t *testing.T) {
	t.Parallel()
	golden, err := tensor.ReadNPZ("testdata/fcos.npz")
	if err != nil {
		t.Fatal(err)
	}
	matched, _ := tensor.Data[int64](golden["matched"])
	d := torchvisionFCOS(t)
	for i, image := range fcosBoxes {
		got, err := d.Assign(image.boxes, image.classes, AssignOptions{})
		if err != nil {
			t.Fatal(err)
		}
		a := int(d.Locations())
		wantClass, wantBox := make([]int64, a), make([]float32, 4*a)
		for k, m := range matched[i*a : (i+1)*a] {
			wantClass[k] = -1
			copy(wantBox[4*k:], []float32{0, 0, 1, 1})
			if m >= 0 {
				b := image.boxes[m]
				wantClass[k] = image.classes[m]
				copy(wantBox[4*k:], []float32{b.X1, b.Y1, b.X2, b.Y2})
			}
		}
		class, _ := tensor.Data[int64](got.Class)
		box, _ := tensor.Data[float32](got.Box)
		if diff := cmp.Diff(wantClass, class); diff != "" {
			t.Errorf("classes of image %d (-torchvision +ours):\n%s", i, diff)
		}
		if diff := cmp.Diff(wantBox, box); diff != "" {
			t.Errorf("boxes of image %d (-torchvision +ours):\n%s", i, diff)
		}
	}
}

func TestAssign(t *testing.T) {
	t.Parallel()
	d := &Detector{Levels: []Level{{8, 4, 4}, {16, 2, 2}}}
	tests := []struct {
		name  string
		boxes []geom.Box
		want  map[int]int64 // class by location, the others −1
	}{
		{"no boxes", nil, map[int]int64{}},
		{"a box without area teaches nothing", []geom.Box{rect(4, 4, 4, 12), rect(12, 12, 4, 20)}, map[int]int64{}},
		{"a box that holds one centre", []geom.Box{rect(1, 1, 7, 7)}, map[int]int64{0: 0}},
		{"a box between the centres is lost", []geom.Box{rect(5, 5, 11, 11)}, map[int]int64{}},
		{"the smaller of two", []geom.Box{rect(0, 0, 10, 10), rect(1, 1, 7, 7)}, map[int]int64{0: 1}},
		{"the first of two alike", []geom.Box{rect(1, 1, 7, 7), rect(1, 1, 7, 7)}, map[int]int64{0: 0}},
		{"far from the centre does not count", []geom.Box{rect(0, 0, 32, 8)}, map[int]int64{1: 0, 2: 0}},
		{"outside the picture", []geom.Box{rect(100, 100, 140, 140)}, map[int]int64{}},
		{"a large box is of the coarse level", []geom.Box{rect(-60, -60, 92, 92)}, map[int]int64{16: 0, 17: 0, 18: 0, 19: 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			classes := make([]int64, len(tt.boxes))
			for i := range classes {
				classes[i] = int64(i)
			}
			targets, err := d.Assign(tt.boxes, classes, AssignOptions{})
			if err != nil {
				t.Fatal(err)
			}
			got := map[int]int64{}
			class, _ := tensor.Data[int64](targets.Class)
			for i, c := range class {
				if c >= 0 {
					got[i] = c
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			quality, _ := tensor.Data[float32](targets.Quality)
			for i, q := range quality {
				if !(q >= 0 && q <= 1) || (q > 0) != (class[i] >= 0) {
					t.Errorf("location %d of class %d has quality %v", i, class[i], q)
				}
			}
		})
	}
	if _, err := d.Assign(make([]geom.Box, 2), make([]int64, 1), AssignOptions{}); err == nil {
		t.Error("two boxes of one class are no error")
	}
}

func TestFCOSOptions(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]DetectorOptions{
		"pafpn, BatchNorm, scales": {Norm: "batch", Scales: true, Exponential: true, Neck: PyramidOptions{Channels: 48, BottomUp: true}, Convs: 1},
		"levels beyond the taps":   {Neck: PyramidOptions{Channels: 40, Extra: 2}},
		"taps by name":             {Backbone: BackboneOptions{Taps: []string{"_blocks.10", "_blocks.4"}}, Neck: PyramidOptions{Channels: 32}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.Backbone.Name, o.Classes, o.Height, o.Width = "efficientnet_lite0", 5, 128, 160
			d, err := FCOS(o)
			if err != nil {
				t.Fatal(err)
			}
			d.Initialise(1)
			a := d.Locations()
			out := infer(t, d.Graph, tensor.Of([]int64{1, 3, 128, 160}, noise(3*128*160, 1)))
			for name, want := range map[string][]int64{"logits": {1, a, 5}, "boxes": {1, a, 4}, "quality": {1, a}} {
				if diff := cmp.Diff(want, out[name].Shape); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
			logits, _ := tensor.Data[float32](out["logits"])
			if p := 1 / (1 + math.Exp(-float64(logits[0]))); p < 0.005 || p > 0.02 {
				t.Errorf("a class starts with probability %v, want about 0.01", p)
			}
		})
	}
	for want, o := range map[string]DetectorOptions{
		"0 classes":                  {},
		`norm "layer"`:               {Classes: 1, Norm: "layer"},
		"no features of stride 64":   {Classes: 1, Strides: []int64{64}},
		"the nearest of":             {Classes: 1, Backbone: BackboneOptions{Name: "resnet5"}},
		"more than 2 extra levels":   {Classes: 1, Neck: PyramidOptions{Extra: 3}},
		`there is no tap "layer3.9"`: {Classes: 1, Backbone: BackboneOptions{Name: "resnet18", Taps: []string{"layer3.9"}}},
	} {
		if o.Backbone.Name == "" {
			o.Backbone.Name = "resnet18"
		}
		if _, err := FCOS(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one with %q", err, want)
		}
	}
}
