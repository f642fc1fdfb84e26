package jsonstream

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sample = `{
 "info": {"a": [1, 2]},
 "list": [
  {"n": 1},
  {"n": "two"}, {"n":
   3}

  , {"n": 4}]
}`

func walk(text string, limit int64) ([]string, error) {
	var got []string
	r := New(strings.NewReader(text), limit)
	err := r.Object(func(key string) error {
		if key != "list" {
			_, err := r.Raw()
			return err
		}
		return r.Array(func() error {
			var v struct{ N int }
			bad, err := r.Value(&v)
			got = append(got, fmt.Sprintf("%d: %d %t", r.Line(), v.N, bad != nil))
			return err
		})
	})
	return got, err
}

func TestWalk(t *testing.T) {
	t.Parallel()
	got, err := walk(sample, 1000)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"4: 1 false", "5: 0 true", "5: 3 false", "8: 4 false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("line: value (-want +got):\n%s", diff)
	}
}

func TestWalkRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		limit      int64
		want       string
	}{
		{"cut short", sample[:60], 1000, "line 5: unexpected EOF"},
		{"nothing", "", 1000, "line 1: unexpected EOF"},
		{"no object", "[]", 1000, "line 1: [ where an object is expected"},
		{"no list", "\n{\"list\": 1}", 1000, "line 2: 1 where a list is expected"},
		{"a comma too many", "{\"list\": [1,\n2,\n]}", 1000, "line 2: invalid character"},
		{"too long", sample, 50, "too long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := walk(tt.text, tt.limit); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q in it", err, tt.want)
			}
		})
	}
}
