package segment

import (
	"trilobite/geom"
	"trilobite/pipeline"
	"trilobite/tensor"
)

// mosaic makes one mask of the answers to overlapping parts of an image, which come row by
// row. Where parts overlap, their scores (logits or probabilities, as the model gives them)
// are added, each weighted by how far it has faded: along each axis in a straight line from 1 to
// 0 as its neighbour's goes from 0 to 1. Class indices cannot be added: each part has its
// share up to the middle.
//
// Of the parts before only what later ones overlap with is kept.
type mosaic struct {
	m     *Mask // of the image as steps turned it
	spec  pipeline.Spec
	sure  bool
	left  *said   // the right edge of the part before
	above []*said // the lower edges of the row before, by column
	below []*said // of this row
}

// said is what a part of the image says: scores (C, h, w) of a piece of its output.
type said struct {
	scores []float32
	x, y   int // of the piece, in the output
	w, h   int
	outW   int // of the output
	outH   int
	logits bool
	part   pipeline.Part
}

// add takes a part's answer into the mask. It keeps nothing of out.
func (m *mosaic) add(out *tensor.Tensor, labels []string, p pipeline.Part) error {
	if m.m == nil {
		w, h := p.All.Straight().Size()
		m.m = &Mask{W: int(w), H: int(h), Labels: labels, Class: make([]uint8, int(w)*int(h))}
		if err := m.m.check(); err != nil {
			return err
		}
	}
	d, ok := tensor.Data[float32](out)
	if !ok {
		return m.alone(out, p, p.Core)
	}
	if err := checkScores(out, labels); err != nil {
		return err
	}
	now := &said{scores: d, w: int(out.Shape[3]), h: int(out.Shape[2]), part: p}
	now.outW, now.outH = now.w, now.h
	now.logits = m.sure && !probabilities(d, len(labels))
	if p.Column == 0 {
		m.above, m.below, m.left = m.below, nil, nil
	}
	if err := m.fill(out, now); err != nil {
		return err
	}
	m.left = m.keep(now, geom.Box{X1: p.Sole.X2, Y1: p.Reach.Y1, X2: p.Reach.X2, Y2: p.Reach.Y2})
	m.below = append(m.below, m.keep(now, geom.Box{X1: p.Reach.X1, Y1: p.Sole.Y2, X2: p.Reach.X2, Y2: p.Reach.Y2}))
	return nil
}

// fill fills where now speaks alone, and where it meets those before it: its left and upper
// edge. What later parts meet is theirs.
func (m *mosaic) fill(out *tensor.Tensor, now *said) error {
	p := now.part
	var corner, over *said
	if p.Column < len(m.above) {
		over = m.above[p.Column]
	}
	if p.Column > 0 && p.Column <= len(m.above) {
		corner = m.above[p.Column-1]
	}
	if err := m.alone(out, p, p.Sole); err != nil {
		return err
	}
	m.blend(geom.Box{X1: p.Reach.X1, Y1: p.Sole.Y1, X2: p.Sole.X1, Y2: p.Sole.Y2}, now, m.left)
	m.blend(geom.Box{X1: p.Sole.X1, Y1: p.Reach.Y1, X2: p.Sole.X2, Y2: p.Sole.Y1}, now, over)
	m.blend(geom.Box{X1: p.Reach.X1, Y1: p.Reach.Y1, X2: p.Sole.X1, Y2: p.Sole.Y1}, now, m.left, over, corner)
	return nil
}

// alone puts a box of the mask by the output of one part.
func (m *mosaic) alone(out *tensor.Tensor, p pipeline.Part, box geom.Box) error {
	if empty(box) {
		return nil
	}
	part, err := decodeTurned(out, m.m.Labels, m.spec, p.Mapping.InPart(box), m.sure)
	if err != nil {
		return err
	}
	m.paste(part, box)
	return nil
}

// paste puts the mask of a box into that of the image.
func (m *mosaic) paste(part *Mask, box geom.Box) {
	if part.Confidence != nil && m.m.Confidence == nil {
		m.m.Confidence = make([]uint8, len(m.m.Class))
	}
	for i := range part.H {
		at := (int(box.Y1)+i)*m.m.W + int(box.X1)
		copy(m.m.Class[at:at+part.W], part.Class[i*part.W:])
		if part.Confidence != nil {
			copy(m.m.Confidence[at:at+part.W], part.Confidence[i*part.W:])
		}
	}
}

func empty(b geom.Box) bool { return b.X2 <= b.X1 || b.Y2 <= b.Y1 }

// keep copies what of the scores a box of the image needs; nil, where there is no box.
func (m *mosaic) keep(s *said, box geom.Box) *said {
	if empty(box) {
		return nil
	}
	at := m.sample(s, box)
	x, y := at.x[0].a, at.y[0].a
	piece := &said{x: x, y: y, w: at.x[len(at.x)-1].b + 1 - x, h: at.y[len(at.y)-1].b + 1 - y, outW: s.outW, outH: s.outH, logits: s.logits, part: s.part}
	for c := range m.m.Labels {
		plane := s.scores[c*s.w*s.h:]
		for i := range piece.h {
			piece.scores = append(piece.scores, plane[(y+i)*s.w+x:][:piece.w]...)
		}
	}
	return piece
}

// sample says where in a part's output the pixels of a box of the image are.
func (m *mosaic) sample(s *said, box geom.Box) sampling {
	of := &Mask{W: int(box.X2 - box.X1), H: int(box.Y2 - box.Y1), Labels: m.m.Labels}
	return newSampling(of, m.spec, s.part.Mapping.InPart(box), s.outW, s.outH)
}
