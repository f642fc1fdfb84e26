package main

import (
	"encoding/json"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/spf13/cobra"

	"trilobite/config"
	"trilobite/dataset"
	"trilobite/dataset/catalog"
	"trilobite/dataset/duplicates"
)

func newDatasetSplitCmd(app *App) *cobra.Command {
	var val, test float64
	var seed uint64
	var group string
	var keepTest, apart, asJSON bool
	cmd := &cobra.Command{
		Use:   "split NAME",
		Short: "Divide an imported data set into train, val and test, as its next version",
		Long: `Deals the pictures out by the seed, of each class as much to each part as its share, and keeps on one
side what belongs together: near-duplicates, and with --group pictures whose names agree in what
the regular expression matches in parentheses, such as '^(patient[0-9]+)_'.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if val < 0 || test < 0 || val+test <= 0 || val+test >= 1 {
				return fmt.Errorf("--val is %v and --test %v: shares that leave something to train on", val, test)
			}
			return app.withCatalog(cmd, func(_ config.Config, keep *catalog.Catalog) error {
				found, h, err := keep.Open(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				groups, twins, err := groupsOf(cmd, found.Set, group, apart)
				if err != nil {
					return err
				}
				var fixed func(img *dataset.Image) bool
				if keepTest {
					fixed = func(img *dataset.Image) bool { return img.Split == dataset.Test }
				}
				found.Set = found.Set.Divide(val, test, seed, groups, fixed)
				i, err := keep.Import(cmd.Context(), h.Name, found, catalog.Options{Source: fmt.Sprintf("%s, split --val %v --test %v --seed %d", h.Ref(), val, test, seed)})
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(cmd.OutOrStdout()).Encode(i)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: %d pictures: train %d, val %d, test %d", i.Ref(), i.Images, i.Splits[dataset.Train], i.Splits[dataset.Val], i.Splits[dataset.Test])
				if twins > 0 {
					fmt.Fprintf(cmd.OutOrStdout(), "; %d near-duplicates stay beside their like", twins)
				}
				fmt.Fprintln(cmd.OutOrStdout())
				return nil
			})
		},
	}
	fl := cmd.Flags()
	fl.Float64Var(&val, "val", 0.2, "`share` that validates")
	fl.Float64Var(&test, "test", 0, "`share` that tests")
	fl.Uint64Var(&seed, "seed", 1, "`number` that decides the draw")
	fl.StringVar(&group, "group", "", "regular `expression` of pictures' names: what it matches stays together")
	fl.BoolVar(&keepTest, "keep-test", false, "leave pictures of the test part there")
	fl.BoolVar(&apart, "ignore-duplicates", false, "do not look for near-duplicates, which takes a look at every picture")
	fl.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// groupsOf returns the pictures that stay together, by their places, and how many are
// near-duplicates of others.
func groupsOf(cmd *cobra.Command, s *dataset.Set, group string, apart bool) (groups [][]int, twins int, err error) {
	key, err := regexp.Compile(group)
	if err != nil {
		return nil, 0, fmt.Errorf("--group: %w", err)
	}
	u := union{}
	if !apart {
		paths := make([]string, len(s.Images))
		for i, img := range s.Images {
			paths[i] = img.File
		}
		b := newBar(cmd.ErrOrStderr(), len(paths))
		prints, _, err := duplicates.Files(cmd.Context(), paths, b.step)
		b.done()
		if err != nil {
			return nil, 0, err
		}
		for _, g := range duplicates.Groups(prints) {
			twins += len(g) - 1
			u.join(g)
		}
	}
	if group != "" {
		byKey := map[string][]int{}
		for i := range s.Images {
			if m := key.FindStringSubmatch(path.Base(filepath.ToSlash(s.Images[i].Title()))); m != nil {
				byKey[m[len(m)-1]] = append(byKey[m[len(m)-1]], i)
			}
		}
		if len(byKey) == 0 {
			return nil, 0, fmt.Errorf("--group %s matches no name; the first is %s", group, s.Images[0].Title())
		}
		for _, g := range byKey {
			u.join(g)
		}
	}
	return u.groups(), twins, nil
}

// union puts numbers together that some list has together.
type union map[int]int

func (u union) find(i int) int {
	for {
		up, ok := u[i]
		if !ok || up == i {
			return i
		}
		i = up
	}
}

func (u union) join(g []int) {
	for _, i := range g {
		a, b := u.find(g[0]), u.find(i)
		u[max(a, b)] = min(a, b) // the smallest is the root, whatever the order
	}
}

func (u union) groups() [][]int {
	members := map[int][]int{}
	for i := range u {
		members[u.find(i)] = append(members[u.find(i)], i)
	}
	var out [][]int
	for _, g := range members {
		slices.Sort(g)
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b []int) int { return a[0] - b[0] })
	return out
}
