package cost

import "trilobite/compare"

// vendors are the services that would do the task, for their prices alone: those that the
// run did not ask. What a service learns from is the same images.
func vendors(r *compare.Result) []compare.Measured {
	all := map[compare.Task][]compare.Measured{
		compare.Classify: {
			{Name: "rekognition", Kind: compare.Pretrained, Service: "rekognition", Feature: "rekognition/detect-labels"},
			{Name: "vision", Kind: compare.Pretrained, Service: "vision", Feature: "vision/label-detection"},
			{Name: "custom-labels", Kind: compare.Custom, Service: "custom-labels", TrainImages: r.Dataset.Train},
			{Name: "vertex", Kind: compare.Custom, Service: "vertex", Feature: "vertex/online-classification", TrainImages: r.Dataset.Train},
		},
		compare.Detect: {
			{Name: "rekognition", Kind: compare.Pretrained, Service: "rekognition", Feature: "rekognition/detect-labels"},
			{Name: "vision", Kind: compare.Pretrained, Service: "vision", Feature: "vision/object-localization"},
			{Name: "custom-labels", Kind: compare.Custom, Service: "custom-labels", TrainImages: r.Dataset.Train},
			{Name: "vertex", Kind: compare.Custom, Service: "vertex", Feature: "vertex/online-detection", TrainImages: r.Dataset.Train},
		},
		compare.Segment: {
			{Name: "vertex", Kind: compare.Custom, Service: "vertex", Feature: "vertex/online-segmentation", TrainImages: r.Dataset.Train},
		},
	}
	var out []compare.Measured
	for _, v := range all[r.Task] {
		asked := false
		for _, m := range r.Routes {
			asked = asked || m.Service == v.Service && m.Missing == ""
		}
		if !asked {
			v.Host = v.Service // not this machine
			out = append(out, v)
		}
	}
	return out
}
