package detection

import (
	"cmp"
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

// Head shapes the part of the network that is new; zero values are a head that two cores
// train in minutes.
type Head struct {
	Channels int64 `json:"channels,omitempty"` // of the pyramid and the head, 96
	Convs    int64 `json:"convs,omitempty"`    // of each branch, 2
}

// pixels is the usual area of an input, that of 384×288.
const pixels = 384 * 288

// SpecOf returns how pictures are fed: as the model file says, or else stretched to about 110,000 pixels in the
// proportions of most of them, sides in multiples of 32, normalised as the backbone
// wants it.
func SpecOf(p Params, set *dataset.Set, backbone pipeline.Spec) (pipeline.Spec, error) {
	if p.Model != "" {
		f, err := p.file()
		if err != nil {
			return pipeline.Spec{}, err
		}
		return f.Preprocessing, nil
	}
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
	return s, nil
}

// NewNetwork returns FCOS for classes with the weights of a classifier in its backbone,
// which nn calls name, and first values by the seed in its pyramid and its head. Each
// level has BatchNorms of its own: with few pictures they learn as fast as GroupNorms, are
// less work, and cost a served model nothing. Without a classifier the backbone, too, has
// first values.
func NewNetwork(p Params, name string, classifier *nn.Network, classes int, s pipeline.Spec) (*nn.Detector, error) {
	o := nn.DetectorOptions{
		Backbone: nn.BackboneOptions{Name: name}, Classes: int64(classes), Height: int64(s.Height), Width: int64(s.Width),
		Neck:  nn.PyramidOptions{Channels: cmp.Or(p.Head.Channels, 96)},
		Convs: cmp.Or(p.Head.Convs, 2), Norm: "batch",
	}
	if p.Model != "" {
		f, err := p.file()
		if err != nil {
			return nil, err
		}
		o = f.Detector(classes)
	}
	net, err := nn.FCOS(o)
	if err != nil {
		return nil, err
	}
	net.Initialise(p.Seed)
	if classifier == nil {
		return net, nil
	}
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
			return nil, fmt.Errorf("detector: %q is not in the classifier %s", v.Name, name)
		}
		v.Data = w.Data
	}
	return net, nil
}

// backbone begins the names of the backbone's parameters in a network.
const backbone = "backbone."

// trainingNorms puts the head's BatchNorms into training mode: they normalise by the
// batch, while the backbone's keep the statistics of the many pictures that they saw.
func trainingNorms(g *onnx.Graph) {
	for _, n := range g.Nodes {
		if n.Op == "BatchNormalization" && !strings.HasPrefix(n.In[1].Name, backbone) {
			n.Attrs["training_mode"] = int64(1)
		}
	}
}

func names(net *nn.Network) []string {
	all := make([]string, len(net.Params))
	for i, v := range net.Params {
		all[i] = v.Name
	}
	return all
}
