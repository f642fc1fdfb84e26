package metric_test

import (
	"fmt"

	"trilobite/geom"
	"trilobite/metric"
)

func ExampleCOCOBoxes() {
	truth := []metric.Truth{
		{Image: 0, Class: 7, Box: geom.Rect{X: 10, Y: 10, W: 50, H: 40}, Area: 2000},
		{Image: 1, Class: 7, Box: geom.Rect{X: 0, Y: 0, W: 60, H: 60}, Area: 3600},
	}
	predictions := []metric.Prediction{
		{Image: 0, Class: 7, Box: geom.Rect{X: 10, Y: 10, W: 50, H: 30}, Score: 0.9}, // IoU 0.75
	}
	got := metric.COCOBoxes(truth, predictions)
	fmt.Printf("AP %.3f, AP50 %.3f, AR@100 %.3f\n", got.AP, got.AP50, got.AR100)
	// Output: AP 0.303, AP50 0.505, AR@100 0.300
}
