package zoo

import (
	"fmt"
	"strings"

	"trilobite/convert/tfjs"
	"trilobite/convert/torch"
	"trilobite/nn"
	"trilobite/onnx"
)

// convertSource turns a card's weights into a simplified, checked graph.
func convertSource(card Card, path string) (*onnx.Graph, error) {
	var g *onnx.Graph
	var err error
	switch card.Convert.Format {
	case "tfjs":
		g, err = fromTFJS(card, path)
	case "torch":
		g, err = fromTorch(card, path)
	case "onnx":
		g, err = onnx.Load(path)
	default:
		err = fmt.Errorf("convert.format: %q is none of tfjs, torch, onnx", card.Convert.Format)
	}
	if err != nil {
		return nil, err
	}
	if err := onnx.Simplify(g); err != nil {
		return nil, fmt.Errorf("simplifying: %w", err)
	}
	return g, onnx.Check(g)
}

func fromTFJS(card Card, path string) (*onnx.Graph, error) {
	o := tfjs.Options{Name: card.Name}
	for _, in := range card.Convert.Inputs {
		o.Inputs = append(o.Inputs, tfjs.Input{Name: in.Name, As: in.As, Shape: in.Shape})
	}
	for _, out := range card.Convert.Outputs {
		o.Outputs = append(o.Outputs, tfjs.Output{Name: out.Name, As: out.As})
	}
	return tfjs.ConvertFile(path, o)
}

// fromTorch fills a network of package nn from a state dict.
func fromTorch(card Card, path string) (*onnx.Graph, error) {
	build, ok := nn.Classifiers()[card.Convert.Network]
	if !ok {
		return nil, fmt.Errorf("convert.network: %q is none of %s", card.Convert.Network, strings.Join(nn.ClassifierNames(), ", "))
	}
	state, err := torch.Read(path)
	if err != nil {
		return nil, err
	}
	net, err := build(nn.ClassifierOptions{})
	if err != nil {
		return nil, err
	}
	if err := torch.Assign(net.Params, state); err != nil {
		return nil, err
	}
	return net.Graph, nil
}
