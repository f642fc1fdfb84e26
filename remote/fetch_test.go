package remote

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"trilobite"
)

// web answers like an internet full of surprises.
func web(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("picture")) })
	mux.HandleFunc("/gone", http.NotFound)
	mux.HandleFunc("/to", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("u"), http.StatusFound)
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, _ *http.Request) {
		for range 1000 {
			if _, err := w.Write(make([]byte, 1024)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/drip", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = w.Write([]byte{0})
			w.(http.Flusher).Flush()
			time.Sleep(20 * time.Millisecond)
		}
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func hostPort(t *testing.T, s *httptest.Server) string {
	t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

func TestFetch(t *testing.T) {
	t.Parallel()
	site, inner := web(t), web(t)
	siteAddr := netip.MustParseAddrPort(hostPort(t, site))
	// The site's own address stands for the public internet, all else is private.
	f := newFetcher(Config{
		Hosts:   []string{siteAddr.String(), hostPort(t, inner)},
		Timeout: 500 * time.Millisecond,
	}, func(a netip.AddrPort) bool { return a == siteAddr })

	for _, tc := range []struct {
		name, url string
		want      trilobite.Code // "" for success
	}{
		{"allowed host", site.URL + "/ok", ""},
		{"redirect within the list", site.URL + "/to?u=/ok", ""},
		{"host off the list", "http://example.com/ok", trilobite.Forbidden},
		{"listed host on another port", "http://127.0.0.1:1/ok", trilobite.Forbidden},
		{"private address by number", inner.URL + "/ok", trilobite.Unreachable},
		{"redirect to a private address", site.URL + "/to?u=" + url.QueryEscape(inner.URL+"/ok"), trilobite.Unreachable},
		{"redirect off the list", site.URL + "/to?u=" + url.QueryEscape("http://169.254.169.254/latest/meta-data/"), trilobite.Forbidden},
		{"redirect to a file", site.URL + "/to?u=" + url.QueryEscape("file:///etc/passwd"), trilobite.Invalid},
		{"redirects in a circle", site.URL + "/to?u=" + url.QueryEscape("/to?u=/to"), trilobite.Unreachable},
		{"not found", site.URL + "/gone", trilobite.Unreachable},
		{"longer than the limit, length unknown", site.URL + "/endless", trilobite.ImageTooLarge},
		{"a drip never ends", site.URL + "/drip", trilobite.Unreachable},
		{"a file is no URL", "file:///etc/passwd", trilobite.Invalid},
		{"gopher", "gopher://127.0.0.1:6379/_FLUSHALL", trilobite.Invalid},
		{"no host", "http:///ok", trilobite.Invalid},
		{"credentials", "http://u:p@" + siteAddr.String() + "/ok", trilobite.Invalid},
		{"control bytes", "http://a\x00b/", trilobite.Invalid},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			data, err := f.Fetch(t.Context(), tc.url, 100<<10)
			if tc.want == "" {
				if err != nil || string(data) != "picture" {
					t.Fatalf("got %q, %v", data, err)
				}
				return
			}
			if err == nil || trilobite.CodeOf(err) != tc.want {
				t.Fatalf("got %q, %v (%s), want %s", data, err, trilobite.CodeOf(err), tc.want)
			}
		})
	}
}

func TestMessageHidesTheNetwork(t *testing.T) {
	t.Parallel()
	closed := New(Config{Hosts: []string{"127.0.0.1:1", "localhost:2"}})
	for _, u := range []string{"http://127.0.0.1:1/", "http://localhost:2/"} {
		_, err := closed.Fetch(t.Context(), u, 10)
		msg := trilobite.Message(err)
		for _, secret := range []string{"refused", "public", "127.0.0.1", "::1"} {
			if strings.Contains(msg, secret) {
				t.Errorf("%s: message %q tells about the network", u, msg)
			}
		}
	}
}

func TestNamesThatResolveInwards(t *testing.T) {
	t.Parallel()
	s := web(t)
	_, port, _ := strings.Cut(hostPort(t, s), ":")
	for _, host := range []string{"localhost", "127.0.0.1", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433", "[::1]", "[::]", "0.0.0.0"} {
		u := "http://" + host + ":" + port
		f := New(Config{Hosts: []string{host + ":" + port, "*:" + port}, Timeout: time.Second})
		if data, err := f.Fetch(t.Context(), u+"/ok", 100); err == nil {
			t.Errorf("%s: fetched %q from a loopback address", u, data)
		}
	}
}

func TestPrivateIsForTheCommandLine(t *testing.T) {
	t.Parallel()
	s := web(t)
	for _, hosts := range []string{hostPort(t, s), "*"} { // the second as the command line has it, on any port
		f := New(Config{Hosts: []string{hosts}, Private: true})
		if data, err := f.Fetch(t.Context(), s.URL+"/ok", 100); err != nil || string(data) != "picture" {
			t.Errorf("%s: got %q, %v", hosts, data, err)
		}
	}
	if _, err := New(Config{Hosts: []string{"*"}}).Fetch(t.Context(), s.URL+"/ok", 100); trilobite.CodeOf(err) != trilobite.Forbidden {
		t.Errorf("a server fetches from any port: %v", err)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	s := web(t)
	f := New(Config{Hosts: []string{hostPort(t, s)}, Private: true})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := f.Fetch(ctx, s.URL+"/drip", 1<<20); trilobite.CodeOf(err) != trilobite.Canceled {
		t.Errorf("got %v, want canceled", err)
	}
}

func TestAllowList(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		rule string
		url  string
		want bool
	}{
		{"exact", "example.com", "https://example.com/a", true},
		{"case", "Example.com", "https://EXAMPLE.COM/a", true},
		{"trailing dot", "example.com", "https://example.com./a", true},
		{"subdomain needs a star", "example.com", "https://a.example.com/", false},
		{"star", "*.example.com", "https://a.b.example.com/", true},
		{"star is not the domain", "*.example.com", "https://example.com/", false},
		{"star wants a dot", "*.example.com", "https://evilexample.com/", false},
		{"star without a dot is no rule", "*example.com", "https://evilexample.com/", false},
		{"suffix trick", "example.com", "https://example.com.evil.org/", false},
		{"any", "*", "https://evil.org/", true},
		{"own port", "example.com", "https://example.com:443/", true},
		{"the other scheme's port", "example.com", "https://example.com:80/", false},
		{"odd port", "*", "http://example.com:22/", false},
		{"named port", "example.com:8443", "https://example.com:8443/", true},
		{"named port only", "example.com:8443", "https://example.com/", false},
		{"IPv6", "[2606:2800::1]:8080", "http://[2606:2800::1]:8080/", true},
		{"nothing allowed", "", "https://example.com/", false},
	} {
		u, err := url.Parse(tc.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := New(Config{Hosts: []string{tc.rule}}).allowed(u); got != tc.want {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestPublic(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]bool{
		"8.8.8.8": true, "93.184.216.34": true, "2606:2800:220:1::1": true, "::ffff:8.8.8.8": true,
		"127.0.0.1": false, "127.9.9.9": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false,
		"169.254.169.254": false, "100.100.100.200": false, "0.0.0.0": false, "0.1.2.3": false, "255.255.255.255": false,
		"224.0.0.1": false, "198.18.0.1": false, "192.0.2.1": false, "::": false, "::1": false, "fe80::1": false,
		"fe80::1%eth0": false, "fd00:ec2::254": false, "ff02::1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false,
		"2001:0:1::1": false, "::ffff:127.0.0.1": false, "::127.0.0.1": false, "fec0::1": false,
	} {
		if got := Public(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: got %v, want %v", addr, got, want)
		}
	}
}
