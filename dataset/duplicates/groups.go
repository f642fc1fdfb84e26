package duplicates

import (
	"context"
	"math/bits"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
)

// Files returns the prints of pictures, nil where one cannot be decoded, and why. step is
// called after each; it may be nil.
func Files(ctx context.Context, paths []string, step func()) (prints []*Print, why []error, err error) {
	prints, why = make([]*Print, len(paths)), make([]error, len(paths))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, path := range paths {
		g.Go(func() error {
			prints[i], why[i] = File(ctx, path)
			if step != nil {
				step()
			}
			return ctx.Err()
		})
	}
	return prints, why, g.Wait()
}

// bands is in how many pieces a hash is looked up: of hashes that differ in MaxBits bits
// one piece at least is equal.
const bands = MaxBits + 1

// piece returns a band of a hash, with its number, as a key.
func piece(hash uint64, band int) uint32 {
	from, to := band*64/bands, (band+1)*64/bands
	return uint32(band)<<16 | uint32(hash>>from&(1<<(to-from)-1))
}

// Groups returns the pictures, by their places in prints, that show the same, in groups of
// two and more. Who is alike to one of a group belongs to it. A nil print is alike to
// none.
func Groups(prints []*Print) [][]int {
	parent := make([]int, len(prints))
	for i := range parent {
		parent[i] = i
	}
	find := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	hashes := make([]uint64, len(prints)) // side by side: prints are far apart in memory
	for i, p := range prints {
		if p != nil {
			hashes[i] = p.Hash
		}
	}
	index := map[uint32][]int{}
	seen := make([]int, len(prints)) // 1 + the last picture that a candidate was compared with
	for i, p := range prints {
		if p == nil {
			continue
		}
		represented := false // by one of the same hash: thousands of blank pictures stay one candidate
		for band := range bands {
			for _, k := range index[piece(p.Hash, band)] {
				if bits.OnesCount64(p.Hash^hashes[k]) > MaxBits || seen[k] == i+1 {
					continue
				}
				seen[k] = i + 1
				if Alike(p, prints[k]) {
					parent[find(i)] = find(k)
					represented = represented || p.Hash == prints[k].Hash
				}
			}
		}
		if !represented {
			for band := range bands {
				key := piece(p.Hash, band)
				index[key] = append(index[key], i)
			}
		}
	}
	members := map[int][]int{}
	for i := range prints {
		members[find(i)] = append(members[find(i)], i)
	}
	var out [][]int
	for _, g := range members {
		if len(g) > 1 {
			out = append(out, g)
		}
	}
	slices.SortFunc(out, func(a, b []int) int { return a[0] - b[0] })
	return out
}
