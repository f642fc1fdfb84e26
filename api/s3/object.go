package s3

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"trilobite/objects"
)

// metaHeader begins the names of metadata as net/http spells them in requests. S3 answers
// in small letters, and clients take the name as they see it.
const metaHeader = "X-Amz-Meta-"

// maxMetadata is the most that names and values of metadata take, bytes (Amazon S3, "User-
// defined object metadata").
const maxMetadata = 2 << 10

// attributes reads what is to be kept beside the content. What S3 would do and we do not
// is refused, unless leaving it out changes nothing for the client.
func (c *call) attributes() (objects.Attributes, error) {
	for name, values := range c.Header {
		switch {
		case strings.HasPrefix(name, "X-Amz-Server-Side-Encryption"), strings.HasPrefix(name, "X-Amz-Object-Lock"),
			strings.HasPrefix(name, "X-Amz-Grant"), name == "X-Amz-Tagging", name == "X-Amz-Website-Redirect-Location",
			name == "X-Amz-Write-Offset-Bytes", name == "X-Amz-Acl" && values[0] != "private" && values[0] != "bucket-owner-full-control":
			return objects.Attributes{}, wire("NotImplemented")
		}
	}
	a := objects.Attributes{
		ContentType: c.Header.Get("Content-Type"), CacheControl: c.Header.Get("Cache-Control"),
		ContentDisposition: c.Header.Get("Content-Disposition"), ContentLanguage: c.Header.Get("Content-Language"),
		Metadata: map[string]string{},
	}
	var codings []string
	for coding := range strings.SplitSeq(c.Header.Get("Content-Encoding"), ",") {
		if coding = strings.TrimSpace(coding); coding != "" && coding != "aws-chunked" {
			codings = append(codings, coding)
		}
	}
	a.ContentEncoding = strings.Join(codings, ",")
	size := 0
	for name, values := range c.Header {
		if rest, ok := strings.CutPrefix(name, metaHeader); ok && rest != "" {
			a.Metadata[strings.ToLower(rest)] = strings.Join(values, ",")
			size += len(rest) + len(a.Metadata[strings.ToLower(rest)])
		}
	}
	if size > maxMetadata {
		return a, wire("MetadataTooLarge")
	}
	return a, nil
}

// content returns the body to store, its size within limits.
func (c *call) content() (*checksums, error) {
	switch {
	case c.body.Size < 0:
		return nil, wire("MissingContentLength")
	case c.body.Size > objects.MaxPart:
		return nil, wire("EntityTooLarge")
	}
	return c.checksums()
}

func putObject(s *Server, c *call) error {
	a, err := c.attributes()
	if err != nil {
		return err
	}
	body, err := c.content()
	if err != nil {
		return err
	}
	fresh := c.Header.Get("If-None-Match")
	if fresh != "" && fresh != "*" || c.Header.Get("If-Match") != "" {
		return wire("NotImplemented")
	}
	a.Checksum = body.known()
	sum, err := s.Buckets.Put(c.Context(), c.account, c.bucket, c.key, a, body, fresh != "")
	if err != nil {
		return err
	}
	body.show(c.w.Header())
	c.w.Header().Set("ETag", `"`+sum+`"`)
	return nil
}

func deleteObject(s *Server, c *call) error {
	if c.Header.Get("If-Match") != "" {
		return wire("NotImplemented")
	}
	if err := s.Buckets.Remove(c.Context(), c.account, c.bucket, c.key); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func getObject(s *Server, c *call) error {
	if c.URL.Query().Has("partNumber") {
		return wire("NotImplemented")
	}
	o, err := s.Buckets.Stat(c.Context(), c.account, c.bucket, c.key)
	if err != nil {
		return err
	}
	c.describe(o)
	switch status := condition(c.Header, "", o); status {
	case http.StatusNotModified:
		c.w.WriteHeader(status)
		return nil
	case http.StatusPreconditionFailed:
		return wire("PreconditionFailed")
	}
	from, length, err := span(c.Header.Get("Range"), o.Size)
	if err != nil {
		c.w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", o.Size))
		return err
	}
	status := http.StatusOK
	if length < 0 {
		from, length = 0, o.Size
		c.showChecksums(o)
	} else {
		status = http.StatusPartialContent
		c.w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, from+length-1, o.Size))
	}
	if c.Method == http.MethodHead {
		c.w.Header().Set("Content-Length", strconv.FormatInt(length, 10))
		c.w.WriteHeader(status)
		return nil
	}
	r, err := s.Buckets.Range(c.Context(), c.account, c.bucket, c.key, from, length)
	if err != nil {
		return err
	}
	defer r.Close()
	c.w.Header().Set("Content-Length", strconv.FormatInt(length, 10))
	c.w.WriteHeader(status)
	_, _ = io.CopyN(c.w, r, length) // what is missing of Content-Length tells the client
	return nil
}

// describe writes an object's headers. A browser that opens an object must not run what
// it holds as a page of this server's.
func (c *call) describe(o objects.Object) {
	h, q := c.w.Header(), c.URL.Query()
	for _, f := range []struct{ name, value, override string }{
		{"Content-Type", o.ContentType, "response-content-type"},
		{"Cache-Control", o.CacheControl, "response-cache-control"},
		{"Content-Disposition", o.ContentDisposition, "response-content-disposition"},
		{"Content-Encoding", o.ContentEncoding, "response-content-encoding"},
		{"Content-Language", o.ContentLanguage, "response-content-language"},
		{"Expires", "", "response-expires"},
	} {
		if v := q.Get(f.override); v != "" {
			f.value = v
		}
		if f.value != "" {
			h.Set(f.name, f.value)
		}
	}
	h.Set("ETag", etag(o))
	h.Set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
	h.Set("Accept-Ranges", "bytes")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox")
	for name, v := range o.Metadata {
		h[strings.ToLower(metaHeader)+name] = []string{v}
	}
}

func (c *call) showChecksums(o objects.Object) {
	if c.Header.Get("X-Amz-Checksum-Mode") != "ENABLED" {
		return
	}
	for name, v := range o.Checksum {
		c.w.Header().Set(checksumHeader+name, v)
		c.w.Header().Set(checksumHeader+"Type", "FULL_OBJECT")
	}
}

// condition returns the status that a request's conditions give for an object: 200, 304
// or 412 (RFC 9110, section 13.2.2). Prefix is that of the headers' names.
func condition(h http.Header, prefix string, o objects.Object) int {
	modified := o.Modified.Truncate(time.Second)
	match, none := h.Get(prefix+"If-Match"), h.Get(prefix+"If-None-Match")
	since, sinceErr := http.ParseTime(h.Get(prefix + "If-Modified-Since"))
	until, untilErr := http.ParseTime(h.Get(prefix + "If-Unmodified-Since"))
	switch {
	case match != "" && !tagged(match, o.ETag), match == "" && untilErr == nil && modified.After(until):
		return http.StatusPreconditionFailed
	case none != "" && tagged(none, o.ETag), none == "" && sinceErr == nil && !modified.After(since):
		return http.StatusNotModified
	}
	return http.StatusOK
}

func tagged(list, tag string) bool {
	for t := range strings.SplitSeq(list, ",") {
		if t = strings.Trim(strings.TrimSpace(t), `"`); t == "*" || t == tag {
			return true
		}
	}
	return false
}

// span reads a Range header for an object of size bytes. Length -1 is all of it: also
// where the header is not one range of bytes, which RFC 9110 lets a server ignore.
func span(header string, size int64) (from, length int64, err error) {
	text, ok := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(text, "-")
	if !ok || !dash || strings.Contains(last, ",") {
		return 0, -1, nil
	}
	a, errA := strconv.ParseInt(first, 10, 64)
	b, errB := strconv.ParseInt(last, 10, 64)
	switch {
	case first == "" && errB == nil: // the last bytes
		if b == 0 || size == 0 {
			return 0, 0, wire("InvalidRange")
		}
		b = min(b, size)
		return size - b, b, nil
	case errA != nil, last != "" && (errB != nil || b < a):
		return 0, -1, nil //nolint:nilerr // a range that cannot be read is as good as none (RFC 9110, section 14.2)
	case a >= size:
		return 0, 0, wire("InvalidRange")
	case last == "":
		b = size - 1
	}
	return a, min(b, size-1) - a + 1, nil
}

type copyResult struct {
	LastModified, ETag string
}

type copyObjectResult struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CopyObjectResult"`
	copyResult
}

// source returns the object that X-Amz-Copy-Source names, if the conditions hold.
func (s *Server) source(c *call) (bucket string, o objects.Object, err error) {
	path, query, _ := strings.Cut(c.Header.Get("X-Amz-Copy-Source"), "?")
	if query != "" && query != "versionId=null" {
		return "", o, wire("NotImplemented")
	}
	path, err = url.PathUnescape(path)
	bucket, key, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if err != nil || !ok {
		return "", o, wire("InvalidArgument")
	}
	if o, err = s.Buckets.Stat(c.Context(), c.account, bucket, key); err != nil {
		return "", o, err
	}
	if condition(c.Header, "X-Amz-Copy-Source-", o) != http.StatusOK {
		return "", o, wire("PreconditionFailed")
	}
	return bucket, o, nil
}

func copyObject(s *Server, c *call) error {
	bucket, o, err := s.source(c)
	if err != nil {
		return err
	}
	a, err := c.attributes()
	if err != nil {
		return err
	}
	switch c.Header.Get("X-Amz-Metadata-Directive") {
	case "", "COPY":
		if bucket == c.bucket && o.Key == c.key {
			return wire("InvalidRequest")
		}
		a = o.Attributes
	case "REPLACE":
		a.Checksum = o.Checksum
	default:
		return wire("InvalidArgument")
	}
	if o.Size > objects.MaxPart {
		return wire("InvalidRequest")
	}
	r, err := s.Buckets.Range(c.Context(), c.account, bucket, o.Key, 0, -1)
	if err != nil {
		return err
	}
	defer r.Close()
	sum, err := s.Buckets.Put(c.Context(), c.account, c.bucket, c.key, a, r, false)
	if err != nil {
		return err
	}
	return c.reply(copyObjectResult{copyResult: copied(sum)})
}

func copied(sum string) copyResult {
	return copyResult{time.Now().UTC().Format(timeFormat), `"` + sum + `"`}
}
