package s3

import (
	"encoding/base64"
	"encoding/xml"
	"net/url"
	"strconv"
	"strings"
)

// maxKeys is the most that one page, or one deletion, has (Amazon S3 API, ListObjectsV2).
const maxKeys = 1000

const timeFormat = "2006-01-02T15:04:05.000Z"

type contents struct {
	Key, LastModified, ETag string
	Size                    int64
	StorageClass            string
}

type commonPrefix struct{ Prefix string }

type listResult struct {
	XMLName        xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
	Name           string
	Prefix         string
	Delimiter      string `xml:",omitempty"`
	MaxKeys        int
	EncodingType   string `xml:",omitempty"`
	IsTruncated    bool
	Contents       []contents
	CommonPrefixes []commonPrefix

	// Version 1.
	Marker     *string `xml:",omitempty"`
	NextMarker string  `xml:",omitempty"`

	// Version 2.
	KeyCount              *int   `xml:",omitempty"`
	StartAfter            string `xml:",omitempty"`
	ContinuationToken     string `xml:",omitempty"`
	NextContinuationToken string `xml:",omitempty"`
}

func listObjects(s *Server, c *call) error {
	q := c.URL.Query()
	limit := maxKeys
	if text := q.Get("max-keys"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return wire("InvalidArgument")
		}
		limit = min(n, maxKeys)
	}
	spell := func(s string) string { return s }
	switch q.Get("encoding-type") {
	case "":
	case "url":
		spell = escapeKey
	default:
		return wire("InvalidArgument")
	}
	r := listResult{
		Name: c.bucket, Prefix: spell(q.Get("prefix")), Delimiter: spell(q.Get("delimiter")), MaxKeys: limit,
		EncodingType: q.Get("encoding-type"),
	}
	second := q.Has("list-type")
	after := q.Get("marker")
	switch {
	case second && q.Get("list-type") != "2":
		return wire("InvalidArgument")
	case second:
		after = q.Get("start-after")
		r.StartAfter = spell(after)
		if token := q.Get("continuation-token"); token != "" {
			last, err := base64.RawURLEncoding.DecodeString(token)
			if err != nil {
				return wire("InvalidArgument")
			}
			after, r.ContinuationToken = string(last), token
		}
	default:
		r.Marker = new(string)
		*r.Marker = spell(after)
	}
	page, err := s.Buckets.Objects(c.Context(), c.account, c.bucket, q.Get("prefix"), q.Get("delimiter"), after, limit)
	if err != nil {
		return err
	}
	for _, o := range page.Objects {
		r.Contents = append(r.Contents, contents{spell(o.Key), o.Modified.UTC().Format(timeFormat), etag(o), o.Size, "STANDARD"})
	}
	for _, p := range page.Prefixes {
		r.CommonPrefixes = append(r.CommonPrefixes, commonPrefix{spell(p)})
	}
	r.IsTruncated = page.Last != ""
	switch {
	case second:
		n := len(page.Objects) + len(page.Prefixes)
		r.KeyCount = &n
		r.NextContinuationToken = base64.RawURLEncoding.EncodeToString([]byte(page.Last))
	case r.IsTruncated:
		r.NextMarker = spell(page.Last)
	}
	return c.reply(r)
}

// escapeKey spells a key as encoding-type=url has it.
func escapeKey(key string) string {
	return strings.NewReplacer("+", "%20", "%2F", "/").Replace(url.QueryEscape(key))
}
