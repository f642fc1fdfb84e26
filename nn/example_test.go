package nn_test

import (
	"fmt"

	"trilobite/nn"
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
