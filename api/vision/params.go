package vision

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// params are Google's system parameters that change an answer's form; see
// https://cloud.google.com/apis/docs/system-parameters.
type params struct {
	enumNumbers bool // $alt=json;enum-encoding=int
	pretty      bool // prettyPrint, on unless told otherwise
}

// parseParams reads a raw query. It does not use url.ParseQuery, which drops values
// with a bare semicolon such as the $alt that curl users type. The generated REST
// clients send that one encoded.
func parseParams(raw string) (params, error) {
	p := params{pretty: true}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		key, err := url.QueryUnescape(k)
		if err != nil {
			return params{}, invalid("The query string is not URL-encoded.")
		}
		value, err := url.QueryUnescape(v)
		if err != nil {
			return params{}, invalid(fmt.Sprintf("Query parameter %q is not URL-encoded.", short(key)))
		}
		if err := p.set(key, value); err != nil {
			return params{}, err
		}
	}
	return p, nil
}

func (p *params) set(key, value string) error {
	switch key {
	case "$alt", "alt":
		format, options, _ := strings.Cut(value, ";")
		if format != "json" {
			return invalid(fmt.Sprintf("Response format %q is not supported: use json.", short(format)))
		}
		p.enumNumbers = strings.TrimSpace(options) == "enum-encoding=int"
	case "prettyPrint", "$prettyPrint", "pp":
		pretty, err := strconv.ParseBool(value)
		if err != nil {
			return invalid(fmt.Sprintf("Query parameter %q is not true or false.", key))
		}
		p.pretty = pretty
	case "key", "$key", "access_token", "$access_token", "oauth_token", "$oauth_token", "quotaUser", "$quotaUser", "fields", "$fields",
		"callback", "$callback", "uploadType", "upload_protocol", "$.xgafv", "$userProject", "$httpHeaders":
		// Read by others, or without effect here.
	default:
		return invalid(fmt.Sprintf("Invalid JSON payload received. Unknown name %q: Cannot bind query parameter. Field %[1]q could not be found in request message.", short(key)))
	}
	return nil
}
