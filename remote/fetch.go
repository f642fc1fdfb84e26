// Package remote reads files that a request names by URL, without letting the
// request reach into the network that the server stands in (server-side request
// forgery).
//
// Start at Fetcher. A URL must be http or https, on its scheme's port, without a user
// name, on a host of the allow list; the address that the host resolves to is checked
// when the connection is made, so that a name cannot answer differently the second
// time; redirects pass the same checks; bytes and time are bounded; no proxy, cookie
// or credential is used. docs/threat-model.md says which doors lead here.
package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"trilobite"
)

// Config says what may be fetched. The zero Config allows nothing.
type Config struct {
	// Hosts is the allow list: "example.com", "*.example.com" for its subdomains,
	// "*" for all. "example.com:8443" allows a port other than 80 and 443.
	Hosts []string
	// Private also allows addresses that are not on the public internet, and every
	// port. It is for the command line, where who asks is who runs; never for a server.
	Private bool
	Timeout time.Duration // of one fetch with its redirects; 0: 10 s
}

// maxRedirects follows what browsers need for a picture behind a link shortener and
// a content network; each hop is checked.
const maxRedirects = 5

// maxHeaderBytes bounds the headers of an answer.
const maxHeaderBytes = 64 << 10

// Fetcher reads URLs. It is safe for concurrent use.
type Fetcher struct {
	hosts   []string
	anyPort bool
	timeout time.Duration
	client  *http.Client
}

// New returns a Fetcher for the rules of c.
func New(c Config) *Fetcher {
	permit := Public
	if c.Private {
		permit = func(netip.Addr) bool { return true }
	}
	return newFetcher(c, func(a netip.AddrPort) bool { return permit(a.Addr()) })
}

func newFetcher(c Config, permit func(netip.AddrPort) bool) *Fetcher {
	f := &Fetcher{timeout: c.Timeout, anyPort: c.Private}
	for _, h := range c.Hosts {
		f.hosts = append(f.hosts, strings.ToLower(strings.TrimSpace(h)))
	}
	if f.timeout <= 0 {
		f.timeout = 10 * time.Second
	}
	dialer := &net.Dialer{Timeout: f.timeout, Control: control(permit)}
	f.client = &http.Client{
		Transport: &http.Transport{
			Proxy:                  nil, // a proxy would resolve and dial for us, past control
			DialContext:            dialer.DialContext,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        30 * time.Second,
			TLSHandshakeTimeout:    f.timeout,
			ResponseHeaderTimeout:  f.timeout,
			MaxResponseHeaderBytes: maxHeaderBytes,
			DisableCompression:     true, // a picture does not gain, and the limit counts what is sent
			ForceAttemptHTTP2:      true,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return fmt.Errorf("more than %d redirects", maxRedirects)
			}
			return f.check(r.URL)
		},
	}
	return f
}

// control refuses a connection by the address that the name resolved to. It runs
// after resolution, for every address tried.
func control(permit func(netip.AddrPort) bool) func(string, string, syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("parsing address %q: %w", address, err)
		}
		if !permit(a) {
			return fmt.Errorf("%s is not a public address", a.Addr())
		}
		return nil
	}
}

// Fetch returns the body that the URL answers with. It fails with Forbidden where
// the rules do not allow the URL, Invalid where it is none, ImageTooLarge where the
// body has more than limit bytes, and Unreachable in every other case: what exactly
// went wrong inside a network is for the log, not for who asked.
func (f *Fetcher) Fetch(ctx context.Context, rawURL string, limit int64) ([]byte, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fail(trilobite.Invalid, "The URL cannot be parsed.", err)
	}
	if err := f.check(u); err != nil {
		return nil, err
	}
	fctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	data, err := f.get(fctx, u, limit)
	if err == nil {
		return data, nil
	}
	if ctx.Err() != nil {
		return nil, fail(trilobite.Canceled, "The request was cancelled.", ctx.Err())
	}
	if e, ok := errors.AsType[*trilobite.Error](err); ok {
		return nil, e // a redirect's refusal, or the limit; url.Error would show the target
	}
	return nil, fail(trilobite.Unreachable, "The URL cannot be read: download the file and send its bytes.", err)
}

func (f *Fetcher) get(ctx context.Context, u *url.URL, limit int64) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "image/*, */*;q=0.1")
	r.Header.Set("User-Agent", "trilobite")
	resp, err := f.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", u.Host, resp.Status)
	}
	if resp.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading body: %w", err)
	}
	if int64(len(data)) > limit {
		return nil, tooLarge(limit)
	}
	return data, nil
}

// check applies the rules that need no network.
func (f *Fetcher) check(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return fail(trilobite.Invalid, "The URL must start with http:// or https:// and name a host.", nil)
	case u.User != nil:
		return fail(trilobite.Invalid, "The URL must not contain a user name or password.", nil)
	case !f.allowed(u):
		return fail(trilobite.Forbidden, fmt.Sprintf("The host %q is not on this server's list of hosts to fetch from.", u.Host), nil)
	}
	return nil
}

// allowed tells whether the allow list names the URL's host and port.
func (f *Fetcher) allowed(u *url.URL) bool {
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	port := u.Port()
	for _, rule := range f.hosts {
		name, wantPort := rule, ""
		if h, p, err := net.SplitHostPort(rule); err == nil {
			name, wantPort = h, p
		}
		if wantPort != port && (wantPort != "" || !f.anyPort && !standardPort(u.Scheme, port)) {
			continue
		}
		suffix, wild := strings.CutPrefix(name, "*")
		if name == "*" || name == host || wild && strings.HasPrefix(suffix, ".") && strings.HasSuffix(host, suffix) && len(host) > len(suffix) {
			return true
		}
	}
	return false
}

func standardPort(scheme, port string) bool {
	return port == "" || scheme == "http" && port == "80" || scheme == "https" && port == "443"
}

func tooLarge(limit int64) error {
	return fail(trilobite.ImageTooLarge, fmt.Sprintf("The file at the URL has more than %d bytes.", limit), nil)
}

func fail(code trilobite.Code, msg string, err error) error {
	return &trilobite.Error{Op: "remote.Fetch", Code: code, Msg: msg, Err: err}
}
