package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Names of AWS Signature Version 4 (AWS General Reference, "Signing AWS API requests").
const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	dateFormat = "20060102T150405Z"
)

// maxExpires is the longest a presigned request may serve.
const maxExpires = 7 * 24 * time.Hour

// signature is what a request says of its own signature.
type signature struct {
	keyID, date, region, service string
	headers                      []string // signed, lower case, as listed
	sum                          []byte   // 32 bytes
	at                           time.Time
	presigned                    bool
	expires                      time.Duration // of a presigned request
}

// regionRE is a region as ARNs have it.
var regionRE = regexp.MustCompile(`\A[a-z][a-z\d-]{1,62}\z`)

// regionOr returns the region of the signature's scope, or the other where there is none.
func (s *signature) regionOr(other string) string {
	if s == nil || !regionRE.MatchString(s.region) {
		return other
	}
	return s.region
}

// parseSignature reads the signature of r from its Authorization header or, presigned,
// from its query. Its errors are refusals.
func parseSignature(r *http.Request) (*signature, error) {
	if h := r.Header.Get("Authorization"); h != "" {
		return parseHeader(r, h)
	}
	q := r.URL.Query()
	if q.Has("X-Amz-Signature") || q.Has("X-Amz-Algorithm") {
		return parseQuery(q)
	}
	return nil, refuse(MissingToken, "Missing Authentication Token")
}

func parseHeader(r *http.Request, h string) (*signature, error) {
	name, rest, _ := strings.Cut(h, " ")
	if name != algorithm {
		return nil, refuse(Incomplete, "Unsupported AWS 'algorithm'. Only "+algorithm+" is supported.")
	}
	params := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		params[k] = v
	}
	var missing []string
	for _, k := range []string{"Credential", "Signature", "SignedHeaders"} {
		if params[k] == "" {
			missing = append(missing, "Authorization header requires '"+k+"' parameter.")
		}
	}
	date := r.Header.Get("X-Amz-Date")
	at, err := time.Parse(dateFormat, date)
	if date == "" {
		at, err = http.ParseTime(r.Header.Get("Date"))
	}
	if err != nil {
		missing = append(missing, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	if missing != nil {
		return nil, refuse(Incomplete, strings.Join(missing, " "))
	}
	s := &signature{at: at.UTC()}
	return s, s.set(params["Credential"], params["SignedHeaders"], params["Signature"])
}

func parseQuery(q url.Values) (*signature, error) {
	if q.Get("X-Amz-Algorithm") != algorithm {
		return nil, refuse(Incomplete, "Unsupported AWS 'algorithm'. Only "+algorithm+" is supported.")
	}
	for _, k := range []string{"X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature"} {
		if len(q[k]) != 1 || q.Get(k) == "" {
			return nil, refuse(Incomplete, "AWS query-string parameters must include '"+k+"' once.")
		}
	}
	at, err := time.Parse(dateFormat, q.Get("X-Amz-Date"))
	if err != nil {
		return nil, refuse(Incomplete, "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\".")
	}
	s := &signature{at: at, presigned: true, expires: DefaultWindow}
	if q.Has("X-Amz-Expires") {
		n, err := strconv.Atoi(q.Get("X-Amz-Expires"))
		if err != nil || n < 1 || time.Duration(n)*time.Second > maxExpires {
			return nil, refuse(Incomplete, "X-Amz-Expires must be between 1 and 604800 seconds.")
		}
		s.expires = time.Duration(n) * time.Second
	}
	return s, s.set(q.Get("X-Amz-Credential"), q.Get("X-Amz-SignedHeaders"), q.Get("X-Amz-Signature"))
}

// set reads the three parts that both forms have.
func (s *signature) set(credential, headers, sum string) error {
	parts := strings.Split(credential, "/")
	if len(parts) != 5 || slices.Contains(parts, "") {
		return refuse(Incomplete, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.")
	}
	if parts[4] != terminator {
		return refuse(InvalidSignature, "Credential should be scoped with a valid terminator: '"+terminator+"'.")
	}
	s.keyID, s.date, s.region, s.service = parts[0], parts[1], parts[2], parts[3]
	s.headers = strings.Split(headers, ";")
	var err error
	if s.sum, err = hex.DecodeString(sum); err != nil || len(s.sum) != sha256.Size {
		return refuse(InvalidSignature, mismatch)
	}
	return nil
}

// mismatch is AWS's text for a signature that is not the right one.
const mismatch = "The request signature we calculated does not match the signature you provided. " +
	"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."

// check returns a refusal if the signature is for another service or time, or leaves
// unsigned what decides the request's meaning.
func (s *signature) check(r *http.Request, service string, now time.Time, window time.Duration) error {
	if s.service != service {
		return refuse(InvalidSignature, "Credential should be scoped to correct service: '"+service+"'.")
	}
	if strings.Trim(s.region, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return refuse(InvalidSignature, "Credential should be scoped to a valid region.")
	}
	stamp := s.at.Format(dateFormat)
	if s.date != stamp[:8] {
		return refuse(InvalidSignature, fmt.Sprintf(
			"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.",
			cut(s.date), stamp[:8], stamp))
	}
	past := window
	if s.presigned {
		past = s.expires
	}
	now = now.UTC().Truncate(time.Second)
	if oldest := now.Add(-past); s.at.Before(oldest) {
		return refuse(InvalidSignature, fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - %s.)",
			stamp, oldest.Format(dateFormat), now.Format(dateFormat), minutes(past)))
	}
	if newest := now.Add(window); s.at.After(newest) {
		return refuse(InvalidSignature, fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + %s.)",
			stamp, newest.Format(dateFormat), now.Format(dateFormat), minutes(window)))
	}
	for _, name := range []string{"Host", "X-Amz-Date", "X-Amz-Target", "X-Amz-Security-Token", "X-Amz-Content-Sha256"} {
		if (name == "Host" || r.Header.Get(name) != "") && !slices.Contains(s.headers, strings.ToLower(name)) {
			return refuse(InvalidSignature, "'"+name+"' must be a 'SignedHeader' in the AWS Authorization.")
		}
	}
	return nil
}

func minutes(d time.Duration) string {
	if d%time.Minute != 0 {
		return fmt.Sprintf("%d sec", d/time.Second)
	}
	return fmt.Sprintf("%d min", d/time.Minute)
}

func cut(s string) string {
	return s[:min(len(s), 32)]
}

// matches reports whether the signature was made with secret over r and its body, in time
// that does not depend on where they differ.
func (s *signature) matches(r *http.Request, body, secret []byte) bool {
	sum := sha256.Sum256(body)
	canonical := s.canonicalRequest(r, canonicalPath(r.URL), hex.EncodeToString(sum[:]))
	return hmac.Equal(mac(s.key(secret), s.text(algorithm, hashOf(canonical))), s.sum)
}

// text returns what is signed for an algorithm: time, scope and hashes.
func (s *signature) text(algorithm string, hashes ...string) string {
	scope := strings.Join([]string{s.date, s.region, s.service, terminator}, "/")
	return strings.Join(append([]string{algorithm, s.at.Format(dateFormat), scope}, hashes...), "\n")
}

// key returns the key that secret gives for the signature's scope.
func (s *signature) key(secret []byte) []byte {
	key := append([]byte("AWS4"), secret...)
	for _, part := range []string{s.date, s.region, s.service, terminator} {
		key = mac(key, part)
	}
	return key
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
