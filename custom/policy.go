package custom

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"

	"trilobite"
)

// Reason is why something is refused, where a trilobite.Code does not tell enough; it is
// the cause in a trilobite.Error.
type Reason string

// The reasons, named as the service's exceptions.
const (
	StaleRevision   Reason = "InvalidPolicyRevisionIdException"
	MalformedPolicy Reason = "MalformedPolicyDocumentException"
	TooManyTags     Reason = "ServiceQuotaExceededException"
)

// Error returns the name.
func (r Reason) Error() string { return string(r) }

// PolicyDocument is the part of IAM's policy language that project policies use: who may
// copy which versions.
type PolicyDocument struct {
	Statement []statement
}

type statement struct {
	Effect    string
	Principal principal
	Action    words
	Resource  words
}

// words is a string or a list of them.
type words []string

// UnmarshalJSON reads either.
func (w *words) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*w = words{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(w))
}

// principal is "*" or {"AWS": who}.
type principal struct{ AWS words }

// UnmarshalJSON reads either.
func (p *principal) UnmarshalJSON(data []byte) error {
	var all string
	if json.Unmarshal(data, &all) == nil {
		p.AWS = words{all}
		return nil
	}
	type plain principal
	return json.Unmarshal(data, (*plain)(p))
}

// ParsePolicy reads a policy document.
func ParsePolicy(text string) (PolicyDocument, error) {
	var p struct {
		Version   string
		ID        string `json:"Id"`
		Statement []statement
	}
	err := json.NewDecoder(bytes.NewReader([]byte(text))).Decode(&p)
	if err != nil || !json.Valid([]byte(text)) {
		return PolicyDocument{}, malformed("it is no JSON object of a policy")
	}
	if len(p.Statement) == 0 {
		return PolicyDocument{}, malformed("it has no Statement")
	}
	for _, s := range p.Statement {
		switch {
		case s.Effect != "Allow" && s.Effect != "Deny":
			return PolicyDocument{}, malformed("Effect is Allow or Deny")
		case len(s.Principal.AWS) == 0:
			return PolicyDocument{}, malformed("a statement has no Principal")
		case len(s.Action) == 0 || len(s.Resource) == 0:
			return PolicyDocument{}, malformed("a statement has no Action or no Resource")
		}
	}
	return PolicyDocument{p.Statement}, nil
}

func malformed(why string) error {
	return &trilobite.Error{Op: "custom.ParsePolicy", Code: trilobite.Invalid, Err: MalformedPolicy, Msg: "The policy document is malformed: " + why + "."}
}

// Decision is what a policy says.
type Decision int

// The decisions. A policy that is silent leaves it to others; a denial stands against
// every allowance.
const (
	Silent Decision = iota
	Allowed
	Denied
)

// copyAction is what project policies allow.
const copyAction = "rekognition:CopyProjectVersion"

// Decide says whether the account may copy the version.
func (p PolicyDocument) Decide(account string, version ARN) Decision {
	d := Silent
	for _, s := range p.Statement {
		if !s.Principal.names(account) || !s.Action.match(copyAction, true) || !s.Resource.match(version.String(), false) {
			continue
		}
		if s.Effect == "Deny" {
			return Denied
		}
		d = Allowed
	}
	return d
}

// accountRE is a principal that is an account: its root, or any identity of it, which
// keys here stand for.
var accountRE = regexp.MustCompile(`\A(?:arn:[a-z-]+:iam::)?(\d{12})(?::.*)?\z`)

func (p principal) names(account string) bool {
	for _, who := range p.AWS {
		if m := accountRE.FindStringSubmatch(who); who == "*" || m != nil && m[1] == account {
			return true
		}
	}
	return false
}

// match reports whether one of the patterns, with * and ? as IAM has them, is text.
func (w words) match(text string, fold bool) bool {
	for _, pattern := range w {
		re := regexp.QuoteMeta(pattern)
		re = strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(re)
		if fold {
			re = "(?i)" + re
		}
		if regexp.MustCompile(`\A(?:` + re + `)\z`).MatchString(text) {
			return true
		}
	}
	return false
}
