package pipeline

import (
	"trilobite/geom"
	"trilobite/imageio"
)

// turn is one of the eight ways to turn and mirror a picture.
type turn imageio.Turn

// then returns the turn followed by another.
func (t turn) then(u turn) turn {
	if u.Transpose {
		t = turn{!t.Transpose, t.Flip, t.Mirror}
	}
	return turn{t.Transpose, t.Mirror != u.Mirror, t.Flip != u.Flip}
}

// point takes a point of a w×h image to the turned one, which has sides tw and th.
func (t turn) point(x, y, tw, th float64) (float64, float64) {
	if t.Transpose {
		x, y = y, x
	}
	if t.Mirror {
		x = tw - x
	}
	if t.Flip {
		y = th - y
	}
	return x, y
}

// back is point's inverse.
func (t turn) back(x, y, tw, th float64) (float64, float64) {
	if t.Mirror {
		x = tw - x
	}
	if t.Flip {
		y = th - y
	}
	if t.Transpose {
		x, y = y, x
	}
	return x, y
}

// frame says where the pixels of an image under way come from: first the upright image
// at its full size was turned, then a part of it scaled. A point x of it is x·sx + dx of
// the turned image, y alike.
type frame struct {
	turn           turn
	w, h           float64 // of the turned image at its full size
	sx, sy, dx, dy float64
	seen           geom.Box // the part of the turned image that crops left
}

// newFrame is that of a whole image of w×h pixels, whose file has fullW×fullH.
func newFrame(w, h, fullW, fullH int) frame {
	fw, fh := float64(fullW), float64(fullH)
	return frame{w: fw, h: fh, sx: fw / float64(w), sy: fh / float64(h), seen: geom.Box{X2: float32(fw), Y2: float32(fh)}}
}

// turned follows an image of w×h pixels, before the turn.
func (f frame) turned(t turn, w, h int) frame {
	iw, ih := float64(w), float64(h)
	if t.Transpose {
		f.w, f.h, f.sx, f.sy, f.dx, f.dy, iw, ih = f.h, f.w, f.sy, f.sx, f.dy, f.dx, ih, iw
		f.seen = geom.Box{X1: f.seen.Y1, Y1: f.seen.X1, X2: f.seen.Y2, Y2: f.seen.X2}
	}
	if t.Mirror {
		f.dx = f.w - f.sx*iw - f.dx
		f.seen.X1, f.seen.X2 = float32(f.w)-f.seen.X2, float32(f.w)-f.seen.X1
	}
	if t.Flip {
		f.dy = f.h - f.sy*ih - f.dy
		f.seen.Y1, f.seen.Y2 = float32(f.h)-f.seen.Y2, float32(f.h)-f.seen.Y1
	}
	f.turn = f.turn.then(t)
	return f
}

// scaled follows a part of the image that becomes w×h pixels at x, y of a new one.
func (f frame) scaled(from geom.Box, x, y, w, h int) frame {
	part := geom.Box{
		X1: float32(float64(from.X1)*f.sx + f.dx), Y1: float32(float64(from.Y1)*f.sy + f.dy),
		X2: float32(float64(from.X2)*f.sx + f.dx), Y2: float32(float64(from.Y2)*f.sy + f.dy),
	}
	f.seen = geom.Box{X1: max(f.seen.X1, part.X1), Y1: max(f.seen.Y1, part.Y1), X2: min(f.seen.X2, part.X2), Y2: min(f.seen.Y2, part.Y2)}
	kx, ky := float64(from.X2-from.X1)/float64(w), float64(from.Y2-from.Y1)/float64(h)
	f.dx += (float64(from.X1) - float64(x)*kx) * f.sx
	f.dy += (float64(from.Y1) - float64(y)*ky) * f.sy
	f.sx, f.sy = f.sx*kx, f.sy*ky
	return f
}
