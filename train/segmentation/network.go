package segmentation

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"trilobite/dataset"
	"trilobite/imageio"
	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/pipeline"
)

// The networks.
const (
	DeepLab = "deeplabv3plus"
	UNet    = "unet"
	FPN     = "fpn"
)

// Networks lists them.
func Networks() []string { return []string{DeepLab, UNet, FPN} }

// pixels is the usual area of an input, that of 384×288.
const pixels = 384 * 288

// SpecOf returns how pictures are fed: stretched to about 110,000 pixels in the
// proportions of most of them, sides in multiples of 32, normalised as the backbone wants it.
func SpecOf(set *dataset.Set, backbone pipeline.Spec) pipeline.Spec {
	var aspects []float64
	for _, img := range set.Images {
		if img.W > 0 && img.H > 0 {
			aspects = append(aspects, float64(img.W)/float64(img.H))
		}
	}
	aspect := 4.0 / 3
	if slices.Sort(aspects); len(aspects) > 0 {
		aspect = min(max(aspects[len(aspects)/2], 0.25), 4)
	}
	width := max(1, math.Round(math.Sqrt(pixels*aspect)/32)) * 32
	height := max(1, math.Round(width/aspect/32)) * 32
	s := backbone
	s.Width, s.Height, s.Resize, s.Crop, s.Filter = int(width), int(height), pipeline.Exact, 0, imageio.Bilinear
	return s
}

// NewNetwork returns a network for classes with the weights of a classifier in its
// backbone, which nn calls name, and first values by the seed in its head.
func NewNetwork(p Params, name string, classifier *nn.Network, classes int, s pipeline.Spec) (*nn.Network, error) {
	o := nn.SegmenterOptions{
		Backbone: nn.BackboneOptions{Name: name}, Classes: int64(classes), Height: int64(s.Height), Width: int64(s.Width),
	}
	net, err := build(p.Network, o)
	if err != nil {
		return nil, err
	}
	net.Initialise(p.Seed)
	known := map[string]*onnx.Value{}
	for _, v := range classifier.Params {
		known[backbone+v.Name] = v
	}
	for _, v := range net.Params {
		if !strings.HasPrefix(v.Name, backbone) {
			continue
		}
		w := known[v.Name]
		if w == nil || !slices.Equal(w.Shape, v.Shape) {
			return nil, fmt.Errorf("network %s: %q is not in the classifier %s", p.Network, v.Name, name)
		}
		v.Data = w.Data
	}
	return net, nil
}

// backbone begins the names of the backbone's parameters in a network.
const backbone = "backbone."

// build makes the networks in sizes that a processor trains in minutes: DeepLabV3+ with
// separable convolutions on strides 16 and 32, whose rates are halved for inputs of this
// size, and with strides 8 and 4 merged.
func build(network string, o nn.SegmenterOptions) (*nn.Network, error) {
	switch network {
	case DeepLab:
		return nn.DeepLabV3Plus(nn.DeepLabV3PlusOptions{
			SegmenterOptions: o, High: []int64{16, 32}, Rates: []int64{3, 6, 9}, Channels: 128, Separable: true,
			Low: []nn.Merge{{Stride: 8}, {Stride: 4}},
		})
	case UNet:
		return nn.UNet(nn.UNetOptions{SegmenterOptions: o, Strides: []int64{4, 8, 16, 32}, Channels: []int64{128, 96, 64, 48}})
	case FPN:
		return nn.SemanticFPN(nn.SemanticFPNOptions{SegmenterOptions: o, Neck: nn.PyramidOptions{Channels: 128}, Channels: 96})
	default:
		return nil, invalid("There is no network %q for segmentation; there are %s.", network, strings.Join(Networks(), ", "))
	}
}

// trainingNorms puts the head's BatchNorms into training mode: they normalise by the
// batch, while the backbone's keep the statistics of the many pictures that they saw.
func trainingNorms(g *onnx.Graph) error {
	for _, n := range g.Nodes {
		if n.Op == "BatchNormalization" && !strings.HasPrefix(n.In[1].Name, backbone) {
			n.Attrs["training_mode"] = int64(1)
		}
	}
	return nil
}

func names(net *nn.Network) []string {
	all := make([]string, len(net.Params))
	for i, v := range net.Params {
		all[i] = v.Name
	}
	return all
}
