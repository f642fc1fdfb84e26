package modelfile

import (
	"cmp"
	"errors"
	"fmt"

	"trilobite/nn"
)

// Build makes the network for a number of classes; 0 takes the file's. Its parameters
// have their initial values: the backbone's weights are the caller's to load.
func (s *Spec) Build(classes int) (*nn.Network, error) {
	if classes == 0 {
		classes = len(s.Classes)
	}
	if classes == 0 {
		return nil, errors.New("the number of classes is open: name them in the file")
	}
	h, w := int64(s.Preprocessing.Height), int64(s.Preprocessing.Width)
	switch s.Network {
	case "classifier":
		if s.Backbone.Imported() {
			return nn.TransferClassifier(nn.TransferOptions{Backbone: s.backbone(), Classes: int64(classes), Height: h, Width: w})
		}
		return nn.Classifiers()[s.Backbone.Name](nn.ClassifierOptions{Classes: int64(classes), Height: h, Width: w})
	case "deeplabv3plus":
		o := nn.DeepLabV3PlusOptions{
			SegmenterOptions: nn.SegmenterOptions{Backbone: s.backbone(), Classes: int64(classes), Height: h, Width: w},
			High:             s.Head.High, Rates: s.Head.Rates, Channels: s.Head.Channels, Separable: s.Head.Separable,
		}
		for _, stride := range s.Head.Low {
			o.Low = append(o.Low, nn.Merge{Stride: stride})
		}
		return nn.DeepLabV3Plus(o)
	case "unet":
		return nn.UNet(nn.UNetOptions{
			SegmenterOptions: nn.SegmenterOptions{Backbone: s.backbone(), Classes: int64(classes), Height: h, Width: w},
			Channels:         s.Head.Decoder,
		})
	case "detector":
		d, err := nn.FCOS(s.Detector(classes))
		if err != nil {
			return nil, err
		}
		return d.Network, nil
	default:
		return nil, fmt.Errorf("network %q is unknown", s.Network)
	}
}

func (s *Spec) backbone() nn.BackboneOptions {
	return nn.BackboneOptions{Name: s.Backbone.Name, Graph: s.Backbone.imported, Taps: s.Backbone.Taps}
}

// Detector returns the options of network detector: a pyramid of 96 channels and two
// convolutions a branch, where the file says nothing, and BatchNorms of each level, which
// cost less than GroupNorms in training and nothing in use.
func (s *Spec) Detector(classes int) nn.DetectorOptions {
	o := nn.DetectorOptions{
		Backbone: s.backbone(), Classes: int64(classes), Convs: cmp.Or(s.Head.Convs, 2), Norm: "batch",
		Height: int64(s.Preprocessing.Height), Width: int64(s.Preprocessing.Width),
	}
	o.Neck.Channels = cmp.Or(s.Head.Channels, 96)
	return o
}
