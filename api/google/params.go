package google

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Params are Google's system parameters that change an answer's form; see
// https://cloud.google.com/apis/docs/system-parameters.
type Params struct {
	EnumNumbers bool // $alt=json;enum-encoding=int
	Pretty      bool // prettyPrint, on unless told otherwise
}

// ReadParams reads a raw query. It does not use url.ParseQuery, which drops values
// with a bare semicolon such as the $alt that curl users type. The generated REST
// clients send that one encoded.
func ReadParams(raw string) (Params, error) {
	p := Params{Pretty: true}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		key, err := url.QueryUnescape(k)
		if err != nil {
			return Params{}, Invalid("The query string is not URL-encoded.")
		}
		value, err := url.QueryUnescape(v)
		if err != nil {
			return Params{}, Invalid(fmt.Sprintf("Query parameter %q is not URL-encoded.", Short(key)))
		}
		if err := p.set(key, value); err != nil {
			return Params{}, err
		}
	}
	return p, nil
}

func (p *Params) set(key, value string) error {
	switch key {
	case "$alt", "alt":
		format, options, _ := strings.Cut(value, ";")
		if format != "json" {
			return Invalid(fmt.Sprintf("Response format %q is not supported: use json.", Short(format)))
		}
		p.EnumNumbers = strings.TrimSpace(options) == "enum-encoding=int"
	case "prettyPrint", "$prettyPrint", "pp":
		pretty, err := strconv.ParseBool(value)
		if err != nil {
			return Invalid(fmt.Sprintf("Query parameter %q is not true or false.", key))
		}
		p.Pretty = pretty
	case "key", "$key", "access_token", "$access_token", "oauth_token", "$oauth_token", "quotaUser", "$quotaUser", "fields", "$fields",
		"callback", "$callback", "uploadType", "upload_protocol", "$.xgafv", "$userProject", "$httpHeaders":
		// Read by others, or without effect here.
	default:
		return Invalid(fmt.Sprintf("Invalid JSON payload received. Unknown name %q: Cannot bind query parameter. Field %[1]q could not be found in request message.", Short(key)))
	}
	return nil
}
