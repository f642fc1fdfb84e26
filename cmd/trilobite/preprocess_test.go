package main

import (
	"testing"

	"trilobite/imageio"
	"trilobite/pipeline"
	"trilobite/serving/servingtest"
)

// TestPreprocessed looks at the three pictures: red and blue, then the red half alone, then
// that in grey.
func TestPreprocessed(t *testing.T) {
	t.Parallel()
	spec, err := pipeline.Parse("f.yaml", []byte("steps:\n  - crop: {box: [0, 0, 100, 100]}\n  - greyscale\n"), pipeline.Spec{Width: 32, Height: 32})
	if err != nil {
		t.Fatal(err)
	}
	sheet, err := preprocessed(t.Context(), spec, servingtest.Picture(t, 200, 100), imageio.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if sheet.W != 960+8+480+8+480 || sheet.H != 480 {
		t.Fatalf("%d×%d pixels", sheet.W, sheet.H)
	}
	for at, want := range map[int][3]uint8{
		240: {220, 20, 30}, 720: {10, 20, 240}, 964: {255, 255, 255}, 1208: {81, 81, 81}, 1696: {81, 81, 81}, // luma of BT.601
	} {
		if r, g, b := sheet.At(at, 240); [3]uint8{r, g, b} != want {
			t.Errorf("at %d the sheet is %d, %d, %d, want %d", at, r, g, b, want)
		}
	}
}
