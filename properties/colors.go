package properties

import (
	"cmp"
	"math"
	"slices"

	"trilobite"
)

// bin is a cell of the colour histogram: the mean of its pixels and their number.
type bin struct {
	at     lab
	weight float64
}

// cluster is a group of bins.
type cluster = bin

const (
	// mergeBelow joins clusters that look alike: three times a just visible difference.
	mergeBelow = 0.06
	// rounds bounds the iterations of k-means; it has settled long before.
	rounds = 12
)

// colors groups the pixels' colours into at most n, most frequent first.
func (p pixels) colors(n int) []trilobite.Color {
	if n <= 0 || len(p) == 0 {
		return nil
	}
	clusters := kMeans(p.histogram(), n)
	stand, sum := make([]float64, len(clusters)), 0.0
	for i, c := range clusters {
		// Contrast with all other pixels (M.-M. Cheng et al., "Global contrast based
		// salient region detection", CVPR 2011, equation 3), and the colour's own chroma.
		contrast := 0.0
		for _, d := range clusters {
			contrast += d.weight * c.at.distance(d.at)
		}
		stand[i] = c.weight * (contrast + c.at.chroma() + 1e-3)
		sum += stand[i]
	}
	out := make([]trilobite.Color, len(clusters))
	for i, c := range clusters {
		r, g, b := c.at.rgb()
		css, simplified := name(r, g, b)
		out[i] = trilobite.Color{R: r, G: g, B: b, CSS: css, Simplified: simplified,
			Fraction: float32(c.weight), Score: float32(stand[i] / sum)}
	}
	return out
}

// histogram counts the pixels in cells of 8×8×8 sRGB values. Weights sum to 1.
func (p pixels) histogram() []bin {
	type cell struct{ r, g, b, n int }
	cells := make([]cell, 1<<15)
	for i := 0; i+2 < len(p); i += 3 {
		c := &cells[int(p[i]>>3)<<10|int(p[i+1]>>3)<<5|int(p[i+2]>>3)]
		c.r, c.g, c.b, c.n = c.r+int(p[i]), c.g+int(p[i+1]), c.b+int(p[i+2]), c.n+1
	}
	var bins []bin
	mean := func(sum, n int) uint8 { return uint8((sum + n/2) / n) }
	for _, c := range cells {
		if c.n > 0 {
			bins = append(bins, bin{toLab(mean(c.r, c.n), mean(c.g, c.n), mean(c.b, c.n)), float64(c.n) / float64(len(p)/3)})
		}
	}
	return bins
}

// kMeans groups bins into at most k clusters in Oklab, heaviest first. It starts from
// the heaviest bin and then, again and again, from the one with the largest weight ×
// squared distance to those before.
func kMeans(bins []bin, k int) []cluster {
	nearest := make([]float64, len(bins)) // squared distance to the nearest seed
	for i := range nearest {
		nearest[i] = math.Inf(1)
	}
	seed := 0
	for i, b := range bins {
		if b.weight > bins[seed].weight {
			seed = i
		}
	}
	var clusters []cluster
	for len(clusters) < min(k, len(bins)) {
		from := bins[seed]
		clusters = append(clusters, from)
		best := 0.0
		for i, b := range bins {
			nearest[i] = min(nearest[i], b.at.distance2(from.at))
			if d := nearest[i] * b.weight; d > best {
				best, seed = d, i
			}
		}
		if best == 0 {
			break // every bin is a seed
		}
	}
	for range rounds {
		if !lloyd(bins, clusters) {
			break
		}
	}
	clusters = merge(clusters)
	slices.SortStableFunc(clusters, func(a, b cluster) int { return cmp.Compare(b.weight, a.weight) })
	return clusters
}

// lloyd moves every cluster to the mean of the bins nearest to it and says whether
// one moved visibly.
func lloyd(bins []bin, clusters []cluster) bool {
	sums := make([]cluster, len(clusters))
	for _, b := range bins {
		best, at := math.Inf(1), 0
		for i := range clusters {
			if d := b.at.distance2(clusters[i].at); d < best {
				best, at = d, i
			}
		}
		sums[at] = sums[at].plus(b)
	}
	moved := false
	for i, s := range sums {
		moved = moved || s.weight > 0 && s.at.distance2(clusters[i].at) > 1e-6
		if s.weight == 0 {
			s.at = clusters[i].at
		}
		clusters[i] = s
	}
	return moved
}

// plus returns the weighted mean of two bins.
func (c bin) plus(d bin) bin {
	w := c.weight + d.weight
	if w == 0 {
		return c
	}
	f := d.weight / w
	return bin{lab{c.at.l + (d.at.l-c.at.l)*f, c.at.a + (d.at.a-c.at.a)*f, c.at.b + (d.at.b-c.at.b)*f}, w}
}

// merge joins the two nearest clusters as long as they look alike, and drops empty ones.
func merge(clusters []cluster) []cluster {
	clusters = slices.DeleteFunc(clusters, func(c cluster) bool { return c.weight == 0 })
	for {
		best, a, b := mergeBelow*mergeBelow, -1, -1
		for i := range clusters {
			for j := range i {
				if d := clusters[i].at.distance2(clusters[j].at); d < best {
					best, a, b = d, j, i
				}
			}
		}
		if a < 0 {
			return clusters
		}
		clusters[a] = clusters[a].plus(clusters[b])
		clusters = slices.Delete(clusters, b, b+1)
	}
}
