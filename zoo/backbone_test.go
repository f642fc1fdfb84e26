package zoo

import (
	"io"
	"strings"
	"testing"

	"trilobite"
	"trilobite/tensor"
)

func TestBackbone(t *testing.T) {
	t.Parallel()
	p := Puller{Store: NewStore(t.TempDir()), Packages: "../.deps", Log: io.Discard}
	card, net, err := p.Backbone(t.Context(), "efficientnet-lite0", 3)
	if err != nil {
		t.Fatal(err)
	}
	head := net.Params[len(net.Params)-2]
	if card.Pipeline.Width != 224 || head.Name != "_fc.weight" || head.Shape[0] != 3 {
		t.Errorf("width %d, last layer %s %v", card.Pipeline.Width, head.Name, head.Shape)
	}
	stem, _ := tensor.Data[float32](net.Params[0].Data)
	if stem[0] == 0 {
		t.Error("the stem has no weights")
	}
	_, _, err = p.Backbone(t.Context(), "efficentnet-lite", 3)
	if trilobite.CodeOf(err) != trilobite.NotFound || !strings.Contains(err.Error(), "Did you mean efficientnet-lite0?") {
		t.Errorf("a misspelt name: %v", err)
	}
}
