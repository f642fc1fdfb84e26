package geom

// Rect is a rectangle as annotations and COCO's evaluation give it: upper left corner,
// width and height, in double precision, so that figures computed of it equal those of
// other tools to the last match. Models and images use Box.
type Rect struct {
	X, Y, W, H float64
}

// Rect returns the box as corner and size.
func (b Box) Rect() Rect {
	return Rect{float64(b.X1), float64(b.Y1), float64(b.X2) - float64(b.X1), float64(b.Y2) - float64(b.Y1)}
}

// Box returns the rectangle as xyxy.
func (r Rect) Box() Box {
	return Box{float32(r.X), float32(r.Y), float32(r.X + r.W), float32(r.Y + r.H)}
}

// Area returns W·H, as COCO's tools do even for a negative side.
func (r Rect) Area() float64 { return r.W * r.H }
