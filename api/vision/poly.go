package vision

import (
	"math"

	pb "cloud.google.com/go/vision/v2/apiv1/visionpb"

	"trilobite/geom"
)

// normalizedPoly is an xyxy box in pixels of a w×h image as four corners clockwise
// from the upper left, in fractions of the image, 0 to 1.
func normalizedPoly(b geom.Box, w, h int) *pb.BoundingPoly {
	if w <= 0 || h <= 0 {
		return &pb.BoundingPoly{}
	}
	b = b.Clip(float32(w), float32(h)).Scale(1/float32(w), 1/float32(h))
	b = geom.Box{X1: unit(b.X1), Y1: unit(b.Y1), X2: unit(b.X2), Y2: unit(b.Y2)}
	return &pb.BoundingPoly{NormalizedVertices: []*pb.NormalizedVertex{
		{X: b.X1, Y: b.Y1}, {X: b.X2, Y: b.Y1}, {X: b.X2, Y: b.Y2}, {X: b.X1, Y: b.Y2},
	}}
}

// unit keeps rounding from leaving 0 to 1.
func unit(v float32) float32 { return min(max(v, 0), 1) }

// pixelPoly is an xyxy box of a w×h image as the four corner pixels inside it,
// clockwise from the upper left: a whole image ends at w-1, h-1, as Google's do.
func pixelPoly(b geom.Box, w, h int) *pb.BoundingPoly {
	x1, x2 := pixels(b.X1, b.X2, w)
	y1, y2 := pixels(b.Y1, b.Y2, h)
	return &pb.BoundingPoly{Vertices: []*pb.Vertex{
		{X: x1, Y: y1}, {X: x2, Y: y1}, {X: x2, Y: y2}, {X: x1, Y: y2},
	}}
}

// pixels returns the first and the last pixel of the half-open range lo to hi on a
// side of n pixels.
func pixels(lo, hi float32, n int) (first, last int32) {
	end := float64(max(n-1, 0))
	f := min(max(math.Round(float64(lo)), 0), end)
	l := min(max(math.Round(float64(hi))-1, f), end)
	return int32(f), int32(l)
}
