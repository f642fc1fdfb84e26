package train

// order says which samples a step takes. It is computed from the seed and the epoch,
// never from a generator that has a state, so that a training that resumes goes on as
// if it had never stopped.
type order struct {
	seed           uint64
	samples, batch int64
	whole          bool // batches of less than batch samples are left out

	epoch int64
	perm  []int // of epoch
}

// steps returns the number of steps in an epoch.
func (o *order) steps() int64 {
	if o.whole {
		return o.samples / o.batch
	}
	return (o.samples + o.batch - 1) / o.batch
}

// pick is a sample in its place.
type pick struct {
	sample  int
	variant uint64 // random bits of this sample in this epoch
}

// size returns the number of samples of step s, from 0.
func (o *order) size(s int64) int64 {
	return min(o.batch, o.samples-s%o.steps()*o.batch)
}

// step returns the samples of step s, from 0, as numbers below o.samples.
func (o *order) step(s int64) []pick {
	epoch, at := s/o.steps(), s%o.steps()
	if o.perm == nil || o.epoch != epoch {
		o.epoch, o.perm = epoch, permutation(int(o.samples), mix(o.seed, 1, uint64(epoch)))
	}
	out := make([]pick, 0, o.batch)
	for _, i := range o.perm[at*o.batch : at*o.batch+o.size(s)] {
		out = append(out, pick{i, mix(o.seed, 2, uint64(epoch), uint64(i))})
	}
	return out
}

// permutation is a shuffle of 0…n−1 (Fisher and Yates; Knuth, TAOCP 3.4.2, P).
func permutation(n int, seed uint64) []int {
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	for i := n - 1; i > 0; i-- {
		j := int(mix(seed, uint64(i)) % uint64(i+1))
		p[i], p[j] = p[j], p[i]
	}
	return p
}

// mix makes random bits of a seed and the numbers that say what they are for
// (SplitMix64: Steele, Lea and Flood, doi:10.1145/2660193.2660195).
func mix(seed uint64, parts ...uint64) uint64 {
	for _, p := range parts {
		seed += 0x9e3779b97f4a7c15 + p*0xd1342543de82ef95
		seed = (seed ^ seed>>30) * 0xbf58476d1ce4e5b9
		seed = (seed ^ seed>>27) * 0x94d049bb133111eb
		seed ^= seed >> 31
	}
	return seed
}
