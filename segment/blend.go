package segment

import (
	"runtime"
	"sync"

	"trilobite/geom"
)

// voice is what one of several parts has to say in a box of the image, and with what weight.
type voice struct {
	*said

	at     sampling
	wx, wy []float32 // weights by column and by row of the box, 0 to 1
}

// blend fills a box of the mask by several parts; those that are nil are not there.
func (m *mosaic) blend(box geom.Box, parts ...*said) {
	if empty(box) {
		return
	}
	var voices []voice
	logits, widest := false, 0
	for _, s := range parts {
		if s == nil {
			continue
		}
		p := s.part
		voices = append(voices, voice{
			s, m.sample(s, box),
			weights(int(box.X1), int(box.X2), p.Reach.X1, p.Sole.X1, p.Sole.X2, p.Reach.X2),
			weights(int(box.Y1), int(box.Y2), p.Reach.Y1, p.Sole.Y1, p.Sole.Y2, p.Reach.Y2),
		})
		logits, widest = logits || s.logits, max(widest, s.w)
	}
	of := &Mask{W: int(box.X2 - box.X1), H: int(box.Y2 - box.Y1), Labels: m.m.Labels}
	of.Class = make([]uint8, of.W*of.H)
	if m.sure {
		of.Confidence = make([]uint8, len(of.Class))
	}
	each := sampling{m: of, w: of.W, h: 1, x: make([]neighbours, of.W)} // a score for each pixel
	for j := range each.x {
		each.x[j] = neighbours{j, j, 0}
	}
	bands := min(runtime.GOMAXPROCS(0), of.H)
	var work sync.WaitGroup
	for b := range bands {
		work.Go(func() {
			r, between := newRow(each, logits), make([]float32, widest)
			for i := b * of.H / bands; i < (b+1)*of.H/bands; i++ {
				clear(r.values)
				for _, v := range voices {
					v.add(i, r, between[:v.w])
				}
				r.decide(i)
			}
		})
	}
	work.Wait()
	m.paste(of, box)
}

// weights returns what a part weighs at the middles of pixels from to to: nothing outside of
// its reach, 1 where it is alone, a straight line between.
func weights(from, to int, reach, sole, soleEnd, reachEnd float32) []float32 {
	all := make([]float32, to-from)
	for i := range all {
		at := float32(from+i) + 0.5
		switch {
		case at < reach || at > reachEnd:
		case at < sole:
			all[i] = (at - reach) / (sole - reach)
		case at > soleEnd:
			all[i] = (reachEnd - at) / (reachEnd - soleEnd)
		default:
			all[i] = 1
		}
	}
	return all
}

// add adds row i of the voice to r's values. between has room for a row of its scores.
func (v *voice) add(i int, r *row, between []float32) {
	y, wy := v.at.y[i], v.wy[i]
	for c := range r.m.Labels {
		plane := v.scores[c*v.w*v.h : (c+1)*v.w*v.h]
		above, below, to := plane[(y.a-v.y)*v.w:][:v.w], plane[(y.b-v.y)*v.w:][:v.w], r.class(c)
		for k := range between {
			between[k] = above[k] + (below[k]-above[k])*y.t
		}
		for j, x := range v.at.x {
			left, right := between[x.a-v.x], between[x.b-v.x]
			to[j] += wy * v.wx[j] * (left + (right-left)*x.t)
		}
	}
}
