package nn

import (
	"fmt"
	"testing"

	"trilobite/onnx"
)

func TestTable(t *testing.T) {
	for _, name := range ClassifierNames() {
		net, _ := Classifiers()[name](ClassifierOptions{})
		_, c := onnx.Count(net.Graph)
		in := net.Graph.Inputs[0].Shape
		s := fmt.Sprintf("| `%s` | %d |", name, in[2])
		for _, tap := range net.Taps {
			s += fmt.Sprintf(" `%s` %d |", tap.Value.Name, tap.Channels)
		}
		fmt.Printf("%s %.1f | %.2f |\n", s, float64(learnedElements(net))/1e6, float64(c.MACs)/1e9)
	}
	row := func(what string, net *Network, err error) {
		if err != nil {
			fmt.Println(what, err)
			return
		}
		_, c := onnx.Count(net.Graph)
		head := onnx.Cost{}
		_ = head
		fmt.Printf("| %s | %.1f | %.2f | %d |\n", what, float64(learnedElements(net))/1e6, float64(c.MACs)/1e9, c.Activations>>20)
	}
	for _, name := range []string{"efficientnet_lite0", "mobilenet_v3_large", "resnet18", "resnet50", "resnet50_keras"} {
		o := SegmenterOptions{Backbone: BackboneOptions{Name: name}, Classes: 11, Height: 288, Width: 384}
		n, err := DeepLabV3Plus(DeepLabV3PlusOptions{SegmenterOptions: o})
		row("deeplab "+name, n, err)
		n, err = DeepLabV3Plus(DeepLabV3PlusOptions{SegmenterOptions: o, High: []int64{16, 32}, Rates: []int64{3, 6, 9}, Channels: 128, Low: []Merge{{8, 48, 1}, {4, 48, 2}}})
		row("deeplab camvid "+name, n, err)
		n, err = UNet(UNetOptions{SegmenterOptions: o})
		row("unet "+name, n, err)
		n, err = SemanticFPN(SemanticFPNOptions{SegmenterOptions: o})
		row("fpn "+name, n, err)
		d, err := FCOS(DetectorOptions{Backbone: o.Backbone, Classes: 11, Height: 288, Width: 384})
		row("fcos "+name, d.Network, err)
		d, err = FCOS(DetectorOptions{Backbone: o.Backbone, Classes: 11, Height: 288, Width: 384, Neck: PyramidOptions{Channels: 96}, Convs: 2})
		row("fcos 96 "+name, d.Network, err)
	}
	n, err := UNet(UNetOptions{SegmenterOptions: SegmenterOptions{Classes: 11, Height: 288, Width: 384}})
	row("unet plain", n, err)
	n, err = UNet(UNetOptions{SegmenterOptions: SegmenterOptions{Classes: 11, Height: 288, Width: 384}, Width: 16})
	row("unet plain 16", n, err)
}
