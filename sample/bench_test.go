package sample

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"trilobite/augment"
	"trilobite/dataset/open"
	"trilobite/imageio"
	"trilobite/pipeline"
)

// BenchmarkLoad measures samples a second on all cores, of data sets at hand.
func BenchmarkLoad(b *testing.B) {
	root := os.Getenv("TRILOBITE_DATA")
	if root == "" {
		b.Skip("TRILOBITE_DATA is not set")
	}
	flip := augment.Plan{HorizontalFlip: 0.5}
	all := augment.Plan{HorizontalFlip: 0.5, Scale: []float64{0.75, 1.5}, Rotate: 10, Brightness: 0.3, Contrast: 0.3, Saturation: 0.3, Hue: 0.05}
	for _, bb := range []struct {
		name, path string
		spec       pipeline.Spec
		o          Options
	}{
		{"camvid", "camvid", pipeline.Spec{Width: 384, Height: 288, Filter: imageio.Bilinear}, Options{Task: Segment}},
		{"camvid flip", "camvid", pipeline.Spec{Width: 384, Height: 288, Filter: imageio.Bilinear}, Options{Task: Segment, Augment: flip}},
		{"camvid all", "camvid", pipeline.Spec{Width: 384, Height: 288, Filter: imageio.Bilinear}, Options{Task: Segment, Augment: all}},
		{"hymenoptera", "hymenoptera", pipeline.Spec{Width: 224, Height: 224, Resize: pipeline.CentreCrop, Crop: 0.875, Filter: imageio.Bicubic}, Options{}},
		{"hymenoptera all", "hymenoptera", pipeline.Spec{Width: 224, Height: 224, Resize: pipeline.CentreCrop, Crop: 0.875, Filter: imageio.Bicubic}, Options{Augment: all}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			found, err := open.Dataset(filepath.Join(root, bb.path), open.Options{})
			if err != nil {
				b.Fatal(err)
			}
			l, err := New(found.Set, compile(b, bb.spec), bb.o)
			if err != nil {
				b.Fatal(err)
			}
			var next atomic.Int64
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := int(next.Add(1))
					s, err := l.Load(b.Context(), i%l.Len(), i/l.Len())
					if err != nil {
						b.Error(err)
						return
					}
					l.Recycle(s)
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
