package custom

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestDocumented holds the tables of the documentation to those of the code, row by row.
func TestDocumented(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../docs/api-custom-labels.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, m := range DatasetMoves() {
		want = append(want, row(m.From, m.Event, m.To, m.To == DeleteInProgress))
	}
	for _, m := range VersionMoves() {
		want = append(want, row(m.From, m.Event, m.To, m.To == Deleting))
	}
	for _, r := range want {
		if !strings.Contains(string(data), "\n"+r+"\n") {
			t.Errorf("docs/api-custom-labels.md has no row\n%s", r)
		}
	}
	rows := 0
	parts := strings.Split(string(data), "| status | event | next status |\n|---|---|---|\n")
	for _, part := range parts[1:] {
		table, _, _ := strings.Cut(part, "\n\n")
		rows += strings.Count(table, "\n") + 1
	}
	if rows != len(want) {
		t.Errorf("the tables have %d rows, want %d", rows, len(want))
	}
}

func row[S ~string](from []S, event string, to S, gone bool) string {
	var list []string
	for _, s := range from {
		list = append(list, string(s))
	}
	after := string(to)
	if gone {
		after += ", then gone"
	}
	return fmt.Sprintf("| %s | %s | %s |", strings.Join(list, ", "), event, after)
}

func TestARN(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"arn:aws:rekognition:eu-west-1:111122223333:project/shapes/1700000000123",
		"arn:aws:rekognition:eu-west-1:111122223333:project/a.b-c_D/dataset/train/1700000000123",
		"arn:aws:rekognition:us-gov-east-1:111122223333:project/shapes/dataset/test/1",
		"arn:aws:rekognition:eu-west-1:111122223333:project/shapes/version/version/1700000000123",
	} {
		if a, err := ParseARN(s); err != nil || a.String() != s {
			t.Errorf("%s: %+v, %v", s, a, err)
		}
	}
	for name, s := range map[string]string{
		"nothing":               "",
		"another service":       "arn:aws:s3:eu-west-1:111122223333:project/shapes/1",
		"a short account":       "arn:aws:rekognition:eu-west-1:11112222333:project/shapes/1",
		"a path":                "arn:aws:rekognition:eu-west-1:111122223333:project/../shapes/1",
		"another kind of set":   "arn:aws:rekognition:eu-west-1:111122223333:project/shapes/dataset/all/1",
		"no stamp":              "arn:aws:rekognition:eu-west-1:111122223333:project/shapes/",
		"a line after it":       "arn:aws:rekognition:eu-west-1:111122223333:project/shapes/1\n",
		"a stamp beyond 64 bit": "arn:aws:rekognition:eu-west-1:111122223333:project/shapes/99999999999999999999",
	} {
		if a, err := ParseARN(s); err == nil {
			t.Errorf("%s: %q is %+v", name, s, a)
		}
	}
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	v := ARN{Region: "eu-west-1", Account: "111111111111", Project: "a", Kind: VersionKind, Name: "v", Stamp: 7}
	one := func(effect, principal, action, resource string) string {
		return fmt.Sprintf(`{"Effect":%q,"Principal":%s,"Action":%s,"Resource":%s}`, effect, principal, action, resource)
	}
	const who, what, all = `{"AWS":"222222222222"}`, `"rekognition:CopyProjectVersion"`, `"*"`
	for name, tt := range map[string]struct {
		statements string
		want       Decision
	}{
		"an account by number":      {one("Allow", who, what, all), Allowed},
		"an account's root":         {one("Allow", `{"AWS":["arn:aws:iam::222222222222:root"]}`, what, all), Allowed},
		"a role of the account":     {one("Allow", `{"AWS":"arn:aws:iam::222222222222:role/x"}`, what, all), Allowed},
		"everybody":                 {one("Allow", all, `"rekognition:*"`, all), Allowed},
		"this version":              {one("Allow", who, what, `["`+v.String()+`"]`), Allowed},
		"versions by pattern":       {one("Allow", who, what, `"arn:aws:rekognition:eu-west-1:111111111111:project/a/version/*/?"`), Allowed},
		"another account":           {one("Allow", `{"AWS":"333333333333"}`, what, all), Silent},
		"another action":            {one("Allow", who, `"rekognition:DetectCustomLabels"`, all), Silent},
		"another version":           {one("Allow", who, what, `"arn:aws:rekognition:eu-west-1:111111111111:project/a/version/w/*"`), Silent},
		"a dot is a dot":            {one("Allow", who, what, `"arn.*"`), Silent},
		"a denial after permission": {one("Allow", who, what, all) + "," + one("Deny", who, what, all), Denied},
	} {
		p, err := ParsePolicy(`{"Version":"2012-10-17","Statement":[` + tt.statements + `]}`)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := p.Decide("222222222222", v); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
