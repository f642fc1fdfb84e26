package nn

import "testing"

// Parameter counts are torchvision's own (num_params of its weights' meta data).
func TestTorchvision(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		params int64
	}{
		{"resnet18", 11689512},
		{"resnet34", 21797672},
		{"resnet50", 25557032},
		{"resnet101", 44549160},
		{"mobilenet_v2", 3504872},
		{"mobilenet_v3_small", 2542856},
		{"mobilenet_v3_large", 5483032},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			checkGolden(t, tt.name, Classifiers()[tt.name], tt.params, ClassifierOptions{Height: 64, Width: 64})
		})
	}
}

// A BatchNorm keeps the momentum that its network is to be trained with.
func TestMomentum(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]float32{"resnet18": 0.9, "mobilenet_v2": 0.9, "mobilenet_v3_small": 0.99, "efficientnet_lite0": 0.99} {
		net, err := Classifiers()[name](ClassifierOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range net.Graph.Nodes {
			if got := n.Float("momentum", 0); n.Op == "BatchNormalization" && got != want {
				t.Fatalf("%s, %s: momentum %v, want %v", name, n.Name, got, want)
			}
		}
	}
}
