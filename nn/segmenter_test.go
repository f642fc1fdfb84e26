package nn

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/onnx"
	"trilobite/tensor"
)

func deepLab(o SegmenterOptions, separable bool) (*Network, error) {
	return DeepLabV3Plus(DeepLabV3PlusOptions{
		SegmenterOptions: o, High: []int64{16, 32}, Rates: []int64{1, 2}, Channels: 24, Separable: separable,
		Low: []Merge{{Stride: 8, Channels: 16, Blocks: 1}, {Stride: 4}},
	})
}

// Networks for segmentation against the same networks in PyTorch, with the same weights.
func TestSegmenters(t *testing.T) {
	t.Parallel()
	golden, err := tensor.ReadNPZ("testdata/segmenters.npz")
	if err != nil {
		t.Fatal(err)
	}
	plain := SegmenterOptions{Classes: 4, Height: 64, Width: 64}
	resnet := plain
	resnet.Backbone.Name = "resnet18"
	tests := map[string]func() (*Network, error){
		"unet":          func() (*Network, error) { return UNet(UNetOptions{SegmenterOptions: plain, Width: 8}) },
		"unet_resnet18": func() (*Network, error) { return UNet(UNetOptions{SegmenterOptions: resnet}) },
		"fpn": func() (*Network, error) {
			return SemanticFPN(SemanticFPNOptions{SegmenterOptions: resnet, Neck: PyramidOptions{Channels: 32}, Channels: 24})
		},
		"deeplab":           func() (*Network, error) { return deepLab(resnet, false) },
		"deeplab_separable": func() (*Network, error) { return deepLab(resnet, true) },
	}
	if len(golden) != 2*len(tests) {
		t.Errorf("%d arrays for %d networks", len(golden), len(tests))
	}
	for name, build := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			net, err := build()
			if err != nil {
				t.Fatal(err)
			}
			if want, _ := tensor.Data[int64](golden[name+".learned"]); learnedElements(net) != want[0] {
				t.Errorf("%d learned elements, PyTorch has %d", learnedElements(net), want[0])
			}
			fill(net.Params)
			x := tensor.Of([]int64{1, 3, 64, 64}, noise(3*64*64, 1))
			near(t, "logits", every(infer(t, net.Graph, x)["logits"], 4), golden[name], 2e-5)
			simplify(t, net.Graph)
			near(t, "logits, simplified", every(infer(t, net.Graph, x)["logits"], 4), golden[name], 2e-5)
		})
	}
}

// Every network takes every backbone, also where no stride divides the image.
func TestBackbones(t *testing.T) {
	t.Parallel()
	const height, width = 72, 100
	for _, name := range ClassifierNames() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := SegmenterOptions{Backbone: BackboneOptions{Name: name}, Classes: 3, Height: height, Width: width}
			for kind, build := range map[string]func() (*Network, error){
				"deeplabv3plus": func() (*Network, error) {
					return DeepLabV3Plus(DeepLabV3PlusOptions{SegmenterOptions: o, Channels: 16})
				},
				"unet": func() (*Network, error) {
					return UNet(UNetOptions{SegmenterOptions: o, Channels: []int64{8, 8, 8, 8, 8}})
				},
				"fpn": func() (*Network, error) {
					return SemanticFPN(SemanticFPNOptions{SegmenterOptions: o, Neck: PyramidOptions{Channels: 8}, Channels: 8})
				},
				"classifier": func() (*Network, error) {
					return TransferClassifier(TransferOptions{Backbone: o.Backbone, Classes: 3, Height: height, Width: width})
				},
				"fcos": func() (*Network, error) {
					d, err := FCOS(DetectorOptions{Backbone: o.Backbone, Classes: 3, Height: height, Width: width, Convs: 1, Neck: PyramidOptions{Channels: 8}})
					if err != nil {
						return nil, err
					}
					return d.Network, nil
				},
			} {
				net, err := build()
				if err != nil {
					t.Errorf("%s: %v", kind, err)
					continue
				}
				logits := net.Graph.Outputs[0]
				want := onnx.Shape{logits.Shape[0], 3, height, width}
				switch kind {
				case "classifier":
					want = want[:2]
				case "fcos":
					want = onnx.Shape{want[0], 9*13 + 5*7 + 3*4, 3}
				}
				if diff := cmp.Diff(want, logits.Shape); diff != "" {
					t.Errorf("%s: logits (-want +got):\n%s", kind, diff)
				}
			}
		})
	}
}

// An exported model with folded norms, of another size, is a backbone by the names of its
// tensors and nodes, and computes what the network that it was made of computes.
func TestImportedBackbone(t *testing.T) {
	t.Parallel()
	whole, err := EfficientNetLite0(ClassifierOptions{Height: 96, Width: 96})
	if err != nil {
		t.Fatal(err)
	}
	fill(whole.Params)
	simplify(t, whole.Graph)
	path := filepath.Join(t.TempDir(), "lite0.onnx")
	if err := onnx.Save(path, whole.Graph); err != nil {
		t.Fatal(err)
	}
	g, err := onnx.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	node := ""
	for _, n := range g.Nodes {
		if n.Out[0].Name == "_blocks.4" {
			node = n.Name
		}
	}
	o := SegmenterOptions{Classes: 3, Height: 64, Width: 64}
	o.Backbone = BackboneOptions{Graph: g, Taps: []string{"_blocks.10", node}}
	net, err := DeepLabV3Plus(DeepLabV3PlusOptions{SegmenterOptions: o, Channels: 16})
	if err != nil {
		t.Fatal(err)
	}
	if got := g.Inputs[0].Shape[2]; got != 96 {
		t.Errorf("the imported graph's input became %d high", got)
	}
	o.Backbone = BackboneOptions{Name: "efficientnet_lite0", Taps: []string{"_blocks.4", "stride16"}}
	want, err := DeepLabV3Plus(DeepLabV3PlusOptions{SegmenterOptions: o, Channels: 16})
	if err != nil {
		t.Fatal(err)
	}
	for i, taps := 0, []Tap{{8, 40, nil}, {16, 112, nil}}; i < len(taps); i++ {
		for _, n := range []*Network{net, want} {
			if got := n.Taps[i]; got.Stride != taps[i].Stride || got.Channels != taps[i].Channels {
				t.Errorf("tap %d is of stride %d and %d channels, want %d and %d", i, got.Stride, got.Channels, taps[i].Stride, taps[i].Channels)
			}
		}
	}
	fill(want.Params)
	byName := map[string]*onnx.Value{}
	for _, p := range whole.Params { // the names under which whole was filled
		byName["backbone."+p.Name] = p
	}
	for _, p := range want.Params {
		if w := byName[p.Name]; w != nil {
			p.Data = w.Data
		}
	}
	byName = map[string]*onnx.Value{}
	for _, p := range want.Params {
		byName[p.Name] = p
	}
	for _, p := range net.Params {
		if strings.HasPrefix(p.Name, "head.") {
			p.Data = byName[p.Name].Data
		} else if len(p.Shape) != 4 && len(p.Shape) != 1 {
			t.Errorf("%s%v is a parameter", p.Name, p.Shape)
		}
	}
	x := tensor.Of([]int64{1, 3, 64, 64}, noise(3*64*64, 1))
	near(t, "logits", infer(t, net.Graph, x)["logits"], infer(t, want.Graph, x)["logits"], 1e-5)
}

func TestBackboneMistakes(t *testing.T) {
	t.Parallel()
	b := onnx.NewBuilder("rows")
	b.Output("y", b.Relu(b.Input("x", tensor.Float32, onnx.Shape{1, 3})))
	rows, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		o    BackboneOptions
		want string
	}{
		{"a backbone that does not exist", BackboneOptions{Name: "resnet-50"}, `backbone "resnet-50": the nearest of 11 are resnet50`},
		{"a tap that does not exist", BackboneOptions{Name: "resnet50", Taps: []string{"layer3.5.relu1"}}, `no tap "layer3.5.relu1": the nearest of 180 are layer3.5.relu`},
		{"two taps of a stride", BackboneOptions{Name: "resnet50", Taps: []string{"layer1.2", "layer1.1"}}, `"layer1.2" and "layer1.1" are both of stride 4`},
		{"a tap that is no map", BackboneOptions{Name: "resnet50", Taps: []string{"logits"}}, `tap "logits" is float32[-2,1000], want float32 (N, C, H, W)`},
		{"a graph without images", BackboneOptions{Graph: rows}, `input "x" is float32[1,3], want an image`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := DeepLabV3Plus(DeepLabV3PlusOptions{SegmenterOptions: SegmenterOptions{Backbone: tt.o, Classes: 2, Height: 64, Width: 64}})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one with %q", err, tt.want)
			}
		})
	}
}
