package zoo

import (
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

const smallCard = `name: small
task: classify
pipeline: {width: 8, height: 8, filter: bilinear}
decoder: {name: softmax}
`

func TestParseCard(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"the least that a card has", smallCard, ""},
		{"a field that there is not", smallCard + "colour: red\n", "colour"},
		{"a tag that made another parser panic", "name: !00 00\n", "task"},
		{"no YAML", "name: [", "did not find"},
		{"nothing", "", "EOF"},
		{"aliases that would grow without bound", "a: &a [x]\nb: &b [*a,*a]\nc: [*b,*b]\n", "field a not found"},
		{"too long", smallCard + strings.Repeat("#", maxCard), "more than"},
		{"a name that is a path", strings.Replace(smallCard, "small", "../small", 1), "name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := parseCard([]byte(tt.text))
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// FuzzParseCard: a card that is read is written and read again as the same.
func FuzzParseCard(f *testing.F) {
	f.Add([]byte(smallCard))
	f.Add([]byte("name: !00 00\n"))
	f.Add([]byte(smallCard + "figures: [{data: d, measure: m, value: .5, command: c}]\nfile: {sha256: x, bytes: 3}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseCard(data)
		if err != nil {
			return
		}
		text, err := yaml.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseCard(text)
		if err != nil {
			t.Fatalf("reading what was written: %v\n%s", err, text)
		}
		if diff := cmp.Diff(c, again); diff != "" {
			t.Errorf("read again (-first +second):\n%s\n%s", diff, text)
		}
	})
}
