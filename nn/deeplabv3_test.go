package nn

import (
	"testing"

	"trilobite/tensor"
)

// torchvision's DeepLabV3s with the same weights.
func TestDeepLabV3(t *testing.T) {
	t.Parallel()
	for name, learned := range map[string]int64{"deeplabv3_resnet50": 39634757, "deeplabv3_mobilenet_v3_large": 11021365} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, err := tensor.ReadNPZ("testdata/" + name + ".npz")
			if err != nil {
				t.Fatal(err)
			}
			net, err := TorchSegmenters()[name](SegmenterOptions{Classes: 5, Height: 64, Width: 64})
			if err != nil {
				t.Fatal(err)
			}
			if n := learnedElements(net); n != learned {
				t.Errorf("%d learned elements, torchvision has %d", n, learned)
			}
			fill(net.Params)
			x := tensor.Of([]int64{1, 3, 64, 64}, noise(3*64*64, 1))
			near(t, "logits", every(infer(t, net.Graph, x)["logits"], 4), want["logits"], 1e-4)
			simplify(t, net.Graph)
			near(t, "logits, simplified", every(infer(t, net.Graph, x)["logits"], 4), want["logits"], 1e-4)
		})
	}
}
