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
	// stride4 [24,56,56]
	// stride8 [40,28,28]
	// stride16 [112,14,14]
	// stride32 [320,7,7]
}
