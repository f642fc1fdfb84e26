package detection

import (
	"cmp"

	"trilobite/nn"
	"trilobite/pipeline"
	"trilobite/train/transfer"
)

// Head shapes the part of the network that is new; zero values are a head that two cores
// train in minutes.
type Head struct {
	Channels int64 `json:"channels,omitempty"` // of the pyramid and the head, 96
	Convs    int64 `json:"convs,omitempty"`    // of each branch, 2
}

// NewNetwork is NewNetworkOn a backbone that nn calls name, with the weights of a
// classifier in it.
func NewNetwork(p Params, name string, classifier *nn.Network, classes int, s pipeline.Spec) (*nn.Detector, error) {
	net, err := NewNetworkOn(p, nn.BackboneOptions{Name: name}, classes, s)
	if err != nil {
		return nil, err
	}
	return net, transfer.Fill(net.Network, classifier)
}

// NewNetworkOn returns FCOS for classes with first values by the seed, but for an imported
// backbone's, which are its own. Each level has BatchNorms of its own: with few pictures
// they learn as fast as GroupNorms, are less work, and cost a served model nothing.
func NewNetworkOn(p Params, b nn.BackboneOptions, classes int, s pipeline.Spec) (*nn.Detector, error) {
	net, err := nn.FCOS(nn.DetectorOptions{
		Backbone: b, Classes: int64(classes), Height: int64(s.Height), Width: int64(s.Width),
		Neck:  nn.PyramidOptions{Channels: cmp.Or(p.Head.Channels, 96)},
		Convs: cmp.Or(p.Head.Convs, 2), Norm: "batch",
	})
	if err != nil {
		return nil, err
	}
	net.Initialise(p.Seed)
	return net, nil
}
