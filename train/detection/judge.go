package detection

import (
	"trilobite/detect"
	"trilobite/metric"
	"trilobite/ort"
	"trilobite/tensor"
)

// Decoder reads the trained network's outputs; see package detect.
const Decoder = "fcos"

// Network is the name of what is trained.
const Network = "fcos"

// judge measures COCO's average precision, of boxes read and taken back to the pictures
// as a served model's are.
type judge struct {
	photos *photos
	reader *detect.Reader
	truth  []metric.Truth
	found  []metric.Prediction
}

// reader reads the outputs of d's network.
func reader(d Data) (*detect.Reader, error) {
	var out []ort.ValueInfo
	for _, v := range d.Network.Graph.Outputs {
		out = append(out, ort.ValueInfo{Name: v.Name, DType: v.DType, Shape: v.Shape})
	}
	return detect.NewReader(d.Network.Graph.Name, out, detect.Config{Pipeline: d.Spec, Decoder: Decoder, Labels: d.Set.Classes})
}

// Add reads the answer to validation picture i: logits, boxes and quality.
func (j *judge) Add(i int, outputs, _ []*tensor.Tensor) error {
	j.found = append(j.found, predictions(i, j.reader.Read(outputs, j.photos.mapping(i), 0))...)
	for _, o := range j.photos.set.Images[i].Objects {
		j.truth = append(j.truth, metric.Truth{Image: i, Class: o.Class, Box: o.Box, Area: o.Area, Crowd: o.Crowd})
	}
	return nil
}

// Metrics returns "AP", "AP50" and "AP NAME" of each class that is there.
func (j *judge) Metrics() map[string]float64 {
	c := metric.COCOBoxes(j.truth, j.found)
	m := map[string]float64{"AP": max(0, c.AP), "AP50": max(0, c.AP50)}
	for class, ap := range c.ByClass {
		m["AP "+j.photos.set.Classes[class]] = ap
	}
	return m
}
