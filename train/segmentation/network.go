package segmentation

import (
	"strings"

	"trilobite/nn"
	"trilobite/pipeline"
	"trilobite/train/transfer"
)

// The networks.
const (
	DeepLab = "deeplabv3plus"
	UNet    = "unet"
	FPN     = "fpn"
)

// Networks lists them.
func Networks() []string { return []string{DeepLab, UNet, FPN} }

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
	return net, transfer.Fill(net, classifier)
}

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
		return nn.UNet(nn.UNetOptions{SegmenterOptions: o, Strides: []int64{4, 8, 16, 32}, Channels: []int64{128, 64, 48}})
	case FPN:
		return nn.SemanticFPN(nn.SemanticFPNOptions{SegmenterOptions: o, Neck: nn.PyramidOptions{Channels: 128}, Channels: 96})
	default:
		return nil, invalid("There is no network %q for segmentation; there are %s.", network, strings.Join(Networks(), ", "))
	}
}
