package server

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"trilobite"
)

// CheckAddr refuses to listen for the network while nobody is asked for a key. addr
// is host:port; an empty host is every address of the machine. insecure overrules.
func CheckAddr(addr string, auth, insecure bool) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return &trilobite.Error{Op: "server.CheckAddr", Code: trilobite.Invalid, Msg: fmt.Sprintf("The address %q is not host:port.", addr), Err: err}
	}
	if auth || insecure || isLoopback(host) {
		return nil
	}
	return &trilobite.Error{
		Op: "server.CheckAddr", Code: trilobite.Invalid,
		Msg: fmt.Sprintf("Listening on %s would let everyone on the network in, because keys are not asked for: "+
			"turn auth on, listen on 127.0.0.1, or say --insecure.", addr),
	}
}

// isLoopback tells whether a host name or address is this machine for itself.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// guard keeps web pages away from an open port. A page that a user of this machine
// visits can send requests here, and by pointing its own name at 127.0.0.1 (DNS
// rebinding) even read the answers; but then the Host header has that name, and the
// Origin header the page's.
func (s *Server) guard(next http.Handler, fail func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !s.known(r.Host, r):
			fail(w, r, forbidden(fmt.Sprintf("The host %.100q is not this server's: add it to the configured hosts, or turn auth on.", r.Host)))
		case !s.knownOrigins(r):
			fail(w, r, forbidden(fmt.Sprintf("Requests from web pages of %.100q are not answered: add it to the configured hosts, or turn auth on.", r.Header.Get("Origin"))))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func (s *Server) knownOrigins(r *http.Request) bool {
	for _, origin := range r.Header.Values("Origin") {
		u, err := url.Parse(origin) // "null", of a sandboxed page, has no host
		if err != nil || !s.known(u.Host, r) {
			return false
		}
	}
	return true
}

// known tells whether host, with or without a port, names this machine: by a
// loopback name, by the address that the connection came in on (which no rebinding
// can fake, for it is no name), or by the configuration.
func (s *Server) known(host string, r *http.Request) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(name, "]"), "["), "."))
	if isLoopback(name) || strings.HasSuffix(name, ".localhost") { // RFC 6761, section 6.3
		return true
	}
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok {
		a, err := netip.ParseAddr(name)
		if err == nil && a.Unmap() == local.AddrPort().Addr().Unmap() {
			return true
		}
	}
	return slices.ContainsFunc(s.config.Hosts, func(h string) bool { return strings.EqualFold(h, name) || strings.EqualFold(h, host) })
}

func forbidden(msg string) error {
	return &trilobite.Error{Op: "server.guard", Code: trilobite.Forbidden, Msg: msg}
}
