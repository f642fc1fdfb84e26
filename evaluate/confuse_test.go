package evaluate

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConfuse(t *testing.T) {
	t.Parallel()
	rankings := [][]int{{0, 1}, {1, 0}, {1}, {-1, 1}, {}}
	by, c := confuse([]string{"ant", "bee"}, rankings, []int{0, 0, 1, 1, 1})
	if diff := cmp.Diff([][]int64{{1, 1, 0}, {0, 1, 2}}, c.Counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	want := []Class{{"ant", 2, 1, 0.5}, {"bee", 3, 0.5, 1.0 / 3}}
	if diff := cmp.Diff(want, by); diff != "" {
		t.Errorf("classes (-want +got):\n%s", diff)
	}
}
