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

// NewNetwork is NewNetworkOn a backbone that nn calls name, with the weights of a
// classifier in it.
func NewNetwork(p Params, name string, classifier *nn.Network, classes int, s pipeline.Spec) (*nn.Network, error) {
	net, err := NewNetworkOn(p, nn.BackboneOptions{Name: name}, classes, s)
	if err != nil {
		return nil, err
	}
	return net, transfer.Fill(net, classifier)
}

// NewNetworkOn returns a network for classes with first values by the seed, but for an
// imported backbone's, which are its own.
func NewNetworkOn(p Params, b nn.BackboneOptions, classes int, s pipeline.Spec) (*nn.Network, error) {
	net, err := build(p.Network, nn.SegmenterOptions{Backbone: b, Classes: int64(classes), Height: int64(s.Height), Width: int64(s.Width)})
	if err != nil {
		return nil, err
	}
	net.Initialise(p.Seed)
	return net, nil
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
