package pipeline

// span is a part along one side, the share of it that is its own, and how far around the
// ends of that it fades.
type span struct{ from, to, core, coreEnd, fade int }

// fading returns how far a part fades at its two ends, of n pixels: not where the image ends.
func (s span) fading(n int) (start, end int) {
	if s.from > 0 {
		start = s.fade
	}
	if s.to < n {
		end = s.fade
	}
	return start, end
}

// cuts divides n pixels into parts of size that overlap by at least so many, as few and as
// evenly as can be. They fade over all of the overlap, but for what the next but one reaches.
func cuts(n, size, overlap int) []span {
	if n <= size {
		return []span{{to: n, coreEnd: n}}
	}
	parts := 1 + (n-size+size-overlap-1)/(size-overlap)
	all := make([]span, parts)
	for i := range all {
		from := i * (n - size) / (parts - 1)
		all[i] = span{from, from + size, from, from + size, 0}
	}
	fade := size
	for i := 1; i < parts; i++ {
		middle, apart := (all[i].from+all[i-1].to)/2, all[i].from-all[i-1].from
		all[i-1].coreEnd, all[i].core = middle, middle
		fade = min(fade, apart/2, (size-apart)/2)
	}
	for i := range all {
		all[i].fade = fade
	}
	return all
}
