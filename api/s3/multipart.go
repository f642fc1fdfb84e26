package s3

import (
	"encoding/base64"
	"encoding/xml"
	"hash"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"trilobite/objects"
)

// algorithms are S3's checksums, in small letters.
func algorithms() []string { return []string{"crc32", "crc32c", "crc64nvme", "sha1", "sha256"} }

type createUploadResult struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ InitiateMultipartUploadResult"`
	Bucket   string
	Key      string
	UploadID string `xml:"UploadId"`
}

func createMultipartUpload(s *Server, c *call) error {
	a, err := c.attributes()
	if err != nil {
		return err
	}
	algorithm := c.Header.Get(checksumHeader + "Algorithm")
	if algorithm != "" && !slices.Contains(algorithms(), strings.ToLower(algorithm)) {
		return wire("NotImplemented")
	}
	u, err := s.Buckets.Start(c.Context(), c.account, c.bucket, c.key, a)
	if err != nil {
		return err
	}
	if algorithm != "" {
		c.w.Header().Set(checksumHeader+"Algorithm", algorithm)
		if t := c.Header.Get(checksumHeader + "Type"); t != "" {
			c.w.Header().Set(checksumHeader+"Type", t)
		}
	}
	return c.reply(createUploadResult{Bucket: c.bucket, Key: c.key, UploadID: u.ID})
}

// part returns upload id and number of a part.
func (c *call) part() (id string, n int, err error) {
	q := c.URL.Query()
	n, err = strconv.Atoi(q.Get("partNumber"))
	if err != nil || n < 1 || n > objects.MaxParts {
		return "", 0, wire("InvalidArgument")
	}
	return q.Get("uploadId"), n, nil
}

func uploadPart(s *Server, c *call) error {
	id, n, err := c.part()
	if err != nil {
		return err
	}
	body, err := c.content()
	if err != nil {
		return err
	}
	sum, err := s.Buckets.PutPart(c.Context(), c.account, c.bucket, c.key, id, n, objects.Attributes{Checksum: body.known()}, body)
	if err != nil {
		return err
	}
	body.show(c.w.Header())
	c.w.Header().Set("ETag", `"`+sum+`"`)
	return nil
}

type copyPartResult struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CopyPartResult"`
	copyResult
}

func uploadPartCopy(s *Server, c *call) error {
	id, n, err := c.part()
	if err != nil {
		return err
	}
	bucket, o, err := s.source(c)
	if err != nil {
		return err
	}
	from, length, err := span(c.Header.Get("X-Amz-Copy-Source-Range"), o.Size)
	if err != nil {
		return err
	}
	if length < 0 {
		length = o.Size
	}
	if length > objects.MaxPart {
		return wire("EntityTooLarge")
	}
	r, err := s.Buckets.Range(c.Context(), c.account, bucket, o.Key, from, length)
	if err != nil {
		return err
	}
	defer r.Close()
	sum, err := s.Buckets.PutPart(c.Context(), c.account, c.bucket, c.key, id, n, objects.Attributes{}, r)
	if err != nil {
		return err
	}
	return c.reply(copyPartResult{copyResult: copied(sum)})
}

type partEntry struct {
	PartNumber         int
	LastModified, ETag string
	Size               int64
}

type listPartsResult struct {
	XMLName              xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListPartsResult"`
	Bucket               string
	Key                  string
	UploadID             string `xml:"UploadId"`
	MaxParts             int
	IsTruncated          bool
	NextPartNumberMarker int `xml:",omitempty"`
	Part                 []partEntry
}

func listParts(s *Server, c *call) error {
	q := c.URL.Query()
	all, err := s.Buckets.Parts(c.Context(), c.account, c.bucket, c.key, q.Get("uploadId"))
	if err != nil {
		return err
	}
	limit, after := maxKeys, 0
	for name, to := range map[string]*int{"max-parts": &limit, "part-number-marker": &after} {
		if text := q.Get(name); text != "" {
			if *to, err = strconv.Atoi(text); err != nil || *to < 0 {
				return wire("InvalidArgument")
			}
		}
	}
	limit = min(max(limit, 1), maxKeys)
	all = slices.DeleteFunc(all, func(p objects.Part) bool { return p.Number <= after })
	r := listPartsResult{Bucket: c.bucket, Key: c.key, UploadID: q.Get("uploadId"), MaxParts: limit, IsTruncated: len(all) > limit}
	all = all[:min(len(all), limit)]
	for _, p := range all {
		r.Part = append(r.Part, partEntry{p.Number, p.Modified.UTC().Format(timeFormat), `"` + p.ETag + `"`, p.Size})
	}
	if r.IsTruncated {
		r.NextPartNumberMarker = all[len(all)-1].Number
	}
	return c.reply(r)
}

type completeRequest struct {
	Part []struct {
		PartNumber int
		ETag       string

		ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 string
	}
}

type completeResult struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CompleteMultipartUploadResult"`
	Location string
	Bucket   string
	Key      string
	ETag     string
}

func completeMultipartUpload(s *Server, c *call) error {
	if c.Header.Get("If-None-Match") != "" || c.Header.Get("If-Match") != "" {
		return wire("NotImplemented")
	}
	whole, want, err := c.wholeChecksum()
	if err != nil {
		return err
	}
	var request completeRequest
	if err := c.decode(&request); err != nil {
		return err
	}
	var listed []objects.Part
	for _, p := range request.Part {
		listed = append(listed, objects.Part{Number: p.PartNumber, ETag: p.ETag, Checksum: map[string]string{
			"crc32": p.ChecksumCRC32, "crc32c": p.ChecksumCRC32C, "crc64nvme": p.ChecksumCRC64NVME, "sha1": p.ChecksumSHA1, "sha256": p.ChecksumSHA256,
		}})
		for name, v := range listed[len(listed)-1].Checksum {
			if v == "" {
				delete(listed[len(listed)-1].Checksum, name)
			}
		}
	}
	watch := io.Discard
	if whole != nil {
		watch = whole
	}
	sum, err := s.Buckets.Complete(c.Context(), c.account, c.bucket, c.key, c.URL.Query().Get("uploadId"), listed, watch, func() error {
		if whole != nil && encode(whole) != want {
			return wire("BadDigest")
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.reply(completeResult{Location: "/" + c.bucket + "/" + c.key, Bucket: c.bucket, Key: c.key, ETag: `"` + sum + `"`})
}

// wholeChecksum takes the checksum of the whole object out of the header, where it stands
// for the document's in every other request. One of the parts' checksums (with "-" and
// their number) is left to the parts' own.
func (c *call) wholeChecksum() (sum hash.Hash, want string, err error) {
	for _, name := range algorithms() {
		v := c.Header.Get(checksumHeader + name)
		c.Header.Del(checksumHeader + name)
		if v == "" || strings.Contains(v, "-") {
			continue
		}
		sum = newChecksum(name)
		if raw, err := base64.StdEncoding.DecodeString(v); err != nil || len(raw) != sum.Size() {
			return nil, "", wire("InvalidDigest")
		}
		want = v
	}
	return sum, want, nil
}

func abortMultipartUpload(s *Server, c *call) error {
	if err := s.Buckets.Abort(c.Context(), c.account, c.bucket, c.key, c.URL.Query().Get("uploadId")); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
