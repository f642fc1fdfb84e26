package nn_test

import (
	"fmt"

	"trilobite/geom"
	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/tensor"
)

func ExampleEfficientNetLite0() {
	net, err := nn.EfficientNetLite0(nn.ClassifierOptions{Classes: 10})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(net.Params[0].Name, net.Params[0].Shape)
	for _, tap := range net.Taps {
		fmt.Println(tap.Value.Name, tap.Value.Shape[1:])
	}
	// Output:
	// _conv_stem.weight [32,3,3,3]
	// _blocks.0 [16,112,112]
	// _blocks.2 [24,56,56]
	// _blocks.4 [40,28,28]
	// _blocks.10 [112,14,14]
	// _blocks.15 [320,7,7]
}

func ExampleDeepLabV3Plus() {
	net, err := nn.DeepLabV3Plus(nn.DeepLabV3PlusOptions{
		SegmenterOptions: nn.SegmenterOptions{
			Backbone: nn.BackboneOptions{Name: "efficientnet_lite0", Taps: []string{"_blocks.2", "_blocks.4", "_blocks.10"}},
			Classes:  11, Height: 288, Width: 384,
		},
		Channels: 128, Rates: []int64{3, 6, 9},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	net.Initialise(1)
	_, cost := onnx.Count(net.Graph)
	fmt.Println(net.Graph.Outputs[0].Name, net.Graph.Outputs[0].Shape[1:])
	fmt.Printf("%.1f million parameters, %.1f·10⁹ MACs\n", float64(cost.Params)/1e6, float64(cost.MACs)/1e9)
	// Output:
	// logits [11,288,384]
	// 1.9 million parameters, 3.8·10⁹ MACs
}

func ExampleFCOS() {
	d, err := nn.FCOS(nn.DetectorOptions{
		Backbone: nn.BackboneOptions{Name: "efficientnet_lite0"}, Classes: 3, Height: 288, Width: 384,
		Neck: nn.PyramidOptions{Channels: 96}, Convs: 2, Norm: "batch",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, v := range d.Graph.Outputs {
		fmt.Println(v.Name, v.Shape[1:])
	}
	targets, err := d.Assign([]geom.Box{{X1: 100, Y1: 100, X2: 140, Y2: 140}}, []int64{2}, nn.AssignOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	class, _ := tensor.Data[int64](targets.Class)
	learn := 0
	for _, c := range class {
		if c == 2 {
			learn++
		}
	}
	fmt.Println(learn, "locations learn the box")
	// Output:
	// logits [2268,3]
	// boxes [2268,4]
	// quality [2268]
	// 4 locations learn the box
}

func ExampleUNet() {
	net, err := nn.UNet(nn.UNetOptions{SegmenterOptions: nn.SegmenterOptions{Classes: 2, Height: 256, Width: 256}, Width: 16})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(net.Params[0].Name, net.Graph.Outputs[0].Shape[1:])
	// Output: inc.double_conv.0.weight [2,256,256]
}
