// Package s3 is Amazon S3's REST API over the buckets that clients make here: what `aws s3`
// and the SDKs need to bring images and manifests and to fetch results.
//
// Start at operations.go, the table of what there is; each handler reads its request, asks
// objects.Hosted and writes XML (messages.go) or content. Signatures, chunk signatures
// included, are package auth's; checksums are checked in checksum.go, before an object
// appears. errors.go says each error in S3's words.
//
// There are no versions, access lists, tags, lifecycle rules or other configuration of
// buckets; what asks for them hears NotImplemented.
package s3

import (
	"encoding/xml"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"

	"trilobite/auth"
	"trilobite/objects"
)

// Authenticator says who signed a request; *auth.Authenticator is one.
type Authenticator interface {
	S3(r *http.Request) (auth.Identity, *auth.S3Body, error)
}

// Config is what a Server needs.
type Config struct {
	Buckets *objects.Hosted
	Auth    Authenticator
	// Taken reports names that clients cannot make, for they mean something else here.
	Taken func(bucket string) bool
	// Hosts are the names below which BUCKET.HOST is a bucket's own host.
	Hosts []string
	Log   *slog.Logger
}

// Server answers S3's operations.
type Server struct{ Config }

// New returns a Server.
func New(c Config) *Server {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Server{c}
}

// call is one request that is being answered.
type call struct {
	*http.Request
	w           http.ResponseWriter
	account     string
	region      string
	bucket, key string
	body        *auth.S3Body
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Amz-Request-Id", w.Header().Get("X-Request-Id"))
	who, body, err := s.Auth.S3(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	c := &call{Request: r, w: w, account: who.Account, region: who.Region, body: body}
	c.bucket, c.key = s.address(r)
	handle, err := find(c)
	if err == nil {
		err = handle(s, c)
	}
	if err != nil {
		s.fail(w, r, err)
	}
}

// address returns bucket and key of a request: BUCKET.HOST/KEY or HOST/BUCKET/KEY.
func (s *Server) address(r *http.Request) (bucket, key string) {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	path := strings.TrimPrefix(r.URL.Path, "/")
	for _, base := range s.Hosts {
		if name, ok := strings.CutSuffix(strings.ToLower(host), "."+strings.ToLower(base)); ok && !slices.Contains(s.Hosts, host) {
			return name, path
		}
	}
	bucket, key, _ = strings.Cut(path, "/")
	return bucket, key
}

// maxXML is the largest request document, bytes: 10,000 parts, or 1000 keys of 1024 bytes.
const maxXML = 4 << 20

// decode reads a request document.
func (c *call) decode(v any) error {
	data, err := c.document()
	if err != nil {
		return err
	}
	if xml.Unmarshal(data, v) != nil {
		return wire("MalformedXML")
	}
	return nil
}

// document reads a whole document, verified.
func (c *call) document() ([]byte, error) {
	sums, err := c.checksums()
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(sums, maxXML+1))
	if err == nil && len(data) > maxXML {
		err = wire("MaxMessageLengthExceeded")
	}
	return data, err
}

// reply writes a document.
func (c *call) reply(v any) error {
	c.w.Header().Set("Content-Type", "application/xml")
	data, err := xml.Marshal(v)
	if err != nil {
		return err
	}
	_, _ = io.WriteString(c.w, xml.Header+string(data)) // a failed write means that the client has gone
	return nil
}
