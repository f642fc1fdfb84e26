package auth_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"

	"trilobite"
	"trilobite/auth"
)

const (
	goldenID     = "TRLBGOLDEN"
	goldenSecret = "golden/secret+40"
	account      = "123456789012"
)

// verify runs SigV4 over a request as it arrives.
func verify(d *desk, r *http.Request, body []byte) (auth.Identity, error) {
	return d.SigV4(r, "rekognition", func() ([]byte, error) { return body, nil })
}

// TestBotocore verifies requests signed by botocore (golden/sigv4.py).
func TestBotocore(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/sigv4.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name, Method, URL string
		Headers           map[string]string
		Body              []byte
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	d := newDesk(t)
	d.adopt(t, goldenID, goldenSecret, account)
	for _, tt := range cases {
		t.Run(tt.Name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(tt.Method, tt.URL, nil)
			for k, v := range tt.Headers {
				r.Header.Set(k, v)
			}
			who, err := verify(d, r, tt.Body)
			if err != nil {
				t.Fatal(err)
			}
			region := "us-east-1"
			if strings.Contains(tt.Headers["Authorization"], "/eu-west-1/") {
				region = "eu-west-1"
			}
			if diff := cmp.Diff(auth.Identity{Account: account, KeyID: goldenID, Region: region}, who); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if _, err := verify(d, r, append(bytes.Clone(tt.Body), ' ')); !errors.Is(err, auth.InvalidSignature) {
				t.Errorf("with another body: %v", err)
			}
		})
	}
}

// sign signs a POST of body as aws-sdk-go-v2 does, and returns it as a server sees it.
func sign(t *testing.T, at time.Time, body string, change func(*http.Request)) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost:8080/?q=a+b&a=%2F", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "RekognitionService.DetectLabels")
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	if change != nil {
		change(r)
	}
	sum := sha256.Sum256([]byte(body))
	creds := aws.Credentials{AccessKeyID: goldenID, SecretAccessKey: goldenSecret}
	if err := v4.NewSigner().SignHTTP(t.Context(), creds, r, hex.EncodeToString(sum[:]), "rekognition", "eu-west-1", at); err != nil {
		t.Fatal(err)
	}
	r.Host = r.URL.Host
	return r
}

func TestSigV4(t *testing.T) {
	t.Parallel()
	const body = `{"Image":{}}`
	now := signedAt()
	replace := func(old, with string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, with, 1))
		}
	}
	tests := []struct {
		name   string
		at     time.Time
		before func(*http.Request) // signing
		after  func(*http.Request)
		reason auth.Reason // empty: let in
		msg    string
	}{
		{name: "signed by the Go SDK", at: now},
		{name: "five minutes old", at: now.Add(-5 * time.Minute)},
		{name: "five minutes ahead", at: now.Add(5 * time.Minute)},
		{
			name: "older", at: now.Add(-5*time.Minute - time.Second), reason: auth.InvalidSignature,
			msg: "Signature expired: 20260304T050106Z is now earlier than 20260304T050107Z (20260304T050607Z - 5 min.)",
		},
		{
			name: "further ahead", at: now.Add(5*time.Minute + time.Second), reason: auth.InvalidSignature,
			msg: "Signature not yet current: 20260304T051108Z is still later than 20260304T051107Z (20260304T050607Z + 5 min.)",
		},
		{name: "with the body's hash", at: now, before: func(r *http.Request) {
			sum := sha256.Sum256([]byte(body))
			r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
		}},
		{name: "with another body's hash", at: now, before: func(r *http.Request) {
			r.Header.Set("X-Amz-Content-Sha256", strings.Repeat("0", 64))
		}, reason: auth.InvalidSignature, msg: "'x-amz-content-sha256' header does not match"},
		{name: "unsigned payload", at: now, before: func(r *http.Request) {
			r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
		}, reason: auth.InvalidSignature, msg: "'x-amz-content-sha256' header does not match"},
		{name: "an unsigned header added", at: now, after: func(r *http.Request) { r.Header.Set("X-Forwarded-For", "::1") }},
		{name: "target changed", at: now, after: func(r *http.Request) { r.Header.Set("X-Amz-Target", "RekognitionService.DeleteProject") }, reason: auth.InvalidSignature, msg: "does not match the signature"},
		{name: "second target added", at: now, after: func(r *http.Request) { r.Header.Add("X-Amz-Target", "x") }, reason: auth.InvalidSignature, msg: "does not match the signature"},
		{name: "host changed", at: now, after: func(r *http.Request) { r.Host = "example.com" }, reason: auth.InvalidSignature, msg: "does not match the signature"},
		{name: "path changed", at: now, after: func(r *http.Request) { r.URL.Path = "/x" }, reason: auth.InvalidSignature, msg: "does not match the signature"},
		{name: "query changed", at: now, after: func(r *http.Request) { r.URL.RawQuery += "&b=c" }, reason: auth.InvalidSignature, msg: "does not match the signature"},
		{name: "method changed", at: now, after: func(r *http.Request) { r.Method = http.MethodPut }, reason: auth.InvalidSignature, msg: "does not match the signature"},
		{name: "target not signed", at: now, after: replace(";x-amz-target", ""), reason: auth.InvalidSignature, msg: "'X-Amz-Target' must be a 'SignedHeader'"},
		{name: "host not signed", at: now, after: replace("host;", ""), reason: auth.InvalidSignature, msg: "'Host' must be a 'SignedHeader'"},
		{name: "one digit of the signature changed", at: now, after: func(r *http.Request) {
			h := r.Header.Get("Authorization")
			last := map[bool]string{true: "0", false: "1"}[h[len(h)-1] != '0']
			r.Header.Set("Authorization", h[:len(h)-1]+last)
		}, reason: auth.InvalidSignature, msg: "does not match the signature"},
		{name: "short signature", at: now, after: func(r *http.Request) {
			h := r.Header.Get("Authorization")
			r.Header.Set("Authorization", h[:len(h)-2])
		}, reason: auth.InvalidSignature, msg: "does not match the signature"},
		{name: "no such key", at: now, after: replace(goldenID, "TRLBNOBODY"), reason: auth.Unrecognized, msg: "The security token included in the request is invalid."},
		{name: "another service", at: now, after: replace("/rekognition/", "/s3/"), reason: auth.InvalidSignature, msg: "Credential should be scoped to correct service: 'rekognition'."},
		{name: "odd region", at: now, after: replace("/eu-west-1/", "/EU west/"), reason: auth.InvalidSignature, msg: "scoped to a valid region"},
		{name: "other terminator", at: now, after: replace("aws4_request", "aws5_request"), reason: auth.InvalidSignature, msg: "valid terminator"},
		{name: "other day in the scope", at: now, after: replace("/20260304/", "/20260303/"), reason: auth.InvalidSignature, msg: "'20260303' != '20260304', from '20260304T050607Z'"},
		{name: "short scope", at: now, after: replace("/eu-west-1/", "/"), reason: auth.Incomplete, msg: "exactly 5 slash-delimited elements"},
		{name: "no signature", at: now, after: replace("Signature=", "Sig="), reason: auth.Incomplete, msg: "requires 'Signature' parameter."},
		{name: "no date", at: now, after: func(r *http.Request) { r.Header.Del("X-Amz-Date") }, reason: auth.Incomplete, msg: "'X-Amz-Date' or a 'Date' header"},
		{name: "broken date", at: now, after: func(r *http.Request) { r.Header.Set("X-Amz-Date", "today") }, reason: auth.Incomplete, msg: "'X-Amz-Date' or a 'Date' header"},
		{name: "other algorithm", at: now, after: replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), reason: auth.Incomplete, msg: "Unsupported AWS 'algorithm'"},
		{name: "basic authorization", at: now, after: func(r *http.Request) { r.SetBasicAuth("a", "b") }, reason: auth.Incomplete, msg: "Unsupported AWS 'algorithm'"},
		{name: "no authorization", at: now, after: func(r *http.Request) { r.Header.Del("Authorization") }, reason: auth.MissingToken, msg: "Missing Authentication Token"},
	}
	d := newDesk(t)
	d.adopt(t, goldenID, goldenSecret, account)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := sign(t, tt.at, body, tt.before)
			if tt.after != nil {
				tt.after(r)
			}
			who, err := verify(d, r, []byte(body))
			if tt.reason == "" {
				if err != nil || who.Account != account {
					t.Errorf("SigV4 = %+v, %v", who, err)
				}
				return
			}
			if !errors.Is(err, tt.reason) || trilobite.CodeOf(err) != trilobite.Unauthorized || !strings.Contains(trilobite.Message(err), tt.msg) {
				t.Errorf("SigV4: %v (%s), want %s with %q", err, trilobite.CodeOf(err), tt.reason, tt.msg)
			}
			if who != (auth.Identity{}) {
				t.Errorf("refused, but identity %+v", who)
			}
		})
	}
}

// TestSigV4Body sees that strangers' bodies are not read, and that a body that cannot be
// read is no matter of the signature.
func TestSigV4Body(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	r := sign(t, signedAt(), "", nil)
	unread := func() ([]byte, error) {
		t.Error("a stranger's body was read")
		return nil, nil
	}
	if _, err := d.SigV4(r, "rekognition", unread); !errors.Is(err, auth.Unrecognized) {
		t.Errorf("SigV4: %v", err)
	}
	d.adopt(t, goldenID, goldenSecret, account)
	if _, err := d.SigV4(r, "rekognition", func() ([]byte, error) { return nil, io.ErrUnexpectedEOF }); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("SigV4 with a broken body: %v", err)
	}
}

// TestPresigned verifies what aws-sdk-go-v2 presigns, which moves the target to the query.
func TestPresigned(t *testing.T) {
	t.Parallel()
	const body = `{}`
	d := newDesk(t)
	d.adopt(t, goldenID, goldenSecret, account)
	presign := func(t *testing.T, expires string) *http.Request {
		t.Helper()
		u := "http://localhost:8080/"
		if expires != "" {
			u += "?X-Amz-Expires=" + expires
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, u, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Target", "RekognitionService.DetectLabels")
		sum := sha256.Sum256([]byte(body))
		creds := aws.Credentials{AccessKeyID: goldenID, SecretAccessKey: goldenSecret}
		signed, headers, err := v4.NewSigner().PresignHTTP(t.Context(), creds, r, hex.EncodeToString(sum[:]), "rekognition", "eu-west-1", signedAt())
		if err != nil {
			t.Fatal(err)
		}
		out := httptest.NewRequest(http.MethodPost, signed, strings.NewReader(body))
		out.Header = headers.Clone()
		return out
	}
	tests := []struct {
		name, expires string
		after         time.Duration
		reason        auth.Reason
	}{
		{"at once", "60", 0, ""},
		{"just in time", "3600", time.Hour, ""},
		{"too late", "3600", time.Hour + time.Second, auth.InvalidSignature},
		{"five minutes where none are given", "", 5 * time.Minute, ""},
		{"later where none are given", "", 5*time.Minute + time.Second, auth.InvalidSignature},
		{"more than a week", "604801", 0, auth.Incomplete},
		{"no number", "soon", 0, auth.Incomplete},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			later := &clock{at: signedAt().Add(tt.after)}
			a := auth.New(auth.Config{Store: d.store, Sealer: d.keys.Sealer, Now: later.now})
			_, err := a.SigV4(presign(t, tt.expires), "rekognition", func() ([]byte, error) { return []byte(body), nil })
			if tt.reason == "" && err != nil || tt.reason != "" && !errors.Is(err, tt.reason) {
				t.Errorf("SigV4: %v, want %q", err, tt.reason)
			}
		})
	}
}

func FuzzSigV4(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=a/20260304/b/rekognition/aws4_request, SignedHeaders=host;x-amz-date, Signature=00", "20260304T050607Z", "a=b")
	f.Add("", "", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00&X-Amz-Date=20260304T050607Z&X-Amz-SignedHeaders=host&X-Amz-Credential=a/b/c/d/e")
	a := auth.New(auth.Config{Store: emptyStore{}, Now: signedAt})
	f.Fuzz(func(t *testing.T, header, date, query string) {
		r := &http.Request{Method: http.MethodPost, Host: "localhost", Header: http.Header{}, URL: &url.URL{Path: "/", RawQuery: query}}
		r.Header.Set("Authorization", header)
		r.Header.Set("X-Amz-Date", date)
		if _, err := a.SigV4(r, "rekognition", func() ([]byte, error) { return nil, nil }); trilobite.CodeOf(err) != trilobite.Unauthorized {
			t.Errorf("SigV4: %v", err)
		}
	})
}
