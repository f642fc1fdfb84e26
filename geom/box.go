// Package geom holds the shapes that vision models answer with: boxes, polygons and
// masks, and what is computed of them alone.
//
// Coordinates are pixels of the upright image, x to the right, y down, origin in the
// upper left corner; boxes are xyxy inside Trilobite and converted at the edge.
package geom

// Box is a rectangle by two corners, xyxy: X1, Y1 inclusive, X2, Y2 exclusive.
// A box with X2 <= X1 or Y2 <= Y1 is empty.
type Box struct {
	X1, Y1, X2, Y2 float32
}

// Area returns the box's area in square pixels; 0 if it is empty.
func (b Box) Area() float32 {
	if b.X2 <= b.X1 || b.Y2 <= b.Y1 {
		return 0
	}
	return (b.X2 - b.X1) * (b.Y2 - b.Y1)
}

// Intersect returns the common part of a and b, which may be empty.
func (b Box) Intersect(c Box) Box {
	return Box{max(b.X1, c.X1), max(b.Y1, c.Y1), min(b.X2, c.X2), min(b.Y2, c.Y2)}
}

// IoU returns the intersection over union of a and b, 0 to 1; 0 where both are empty.
func IoU(a, b Box) float32 {
	i := a.Intersect(b).Area()
	u := a.Area() + b.Area() - i
	if u <= 0 {
		return 0
	}
	return i / u
}

// Clip returns the part of b inside an image of w×h pixels.
func (b Box) Clip(w, h float32) Box {
	return b.Intersect(Box{0, 0, w, h})
}

// Scale returns b with its x multiplied by sx and its y by sy.
func (b Box) Scale(sx, sy float32) Box {
	return Box{b.X1 * sx, b.Y1 * sy, b.X2 * sx, b.Y2 * sy}
}

// XYWH returns the upper left corner, width and height, the form COCO and
// Rekognition use.
func (b Box) XYWH() (x, y, w, h float32) {
	return b.X1, b.Y1, b.X2 - b.X1, b.Y2 - b.Y1
}
