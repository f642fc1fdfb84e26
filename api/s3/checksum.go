package s3

import (
	"crypto/md5"  //nolint:gosec // Content-MD5 and ETag are MD5 by definition
	"crypto/sha1" //nolint:gosec // one of S3's checksums, against accidents
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"net/http"
	"slices"
	"strings"
)

const checksumHeader = "X-Amz-Checksum-"

// nvme is CRC-64/NVME's polynomial, reversed (NVM Express Base Specification 2.0, 5.2.1.3.4).
const nvme = 0x9a6c9329ac4bc9b5

// newChecksum returns S3's checksum of a name in small letters, or nil.
func newChecksum(name string) hash.Hash {
	switch name {
	case "crc32":
		return crc32.NewIEEE()
	case "crc32c":
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case "crc64nvme":
		return crc64.New(crc64.MakeTable(nvme))
	case "sha1":
		return sha1.New() //nolint:gosec // as above
	case "sha256":
		return sha256.New()
	default:
		return nil
	}
}

// checksums is a body whose checksums are computed as it is read; at the end it is an
// error if one is not what the client sent, in a header or behind the body.
type checksums struct {
	body    io.Reader
	trailer http.Header
	sums    map[string]hash.Hash
	want    map[string]string // base64; "" if it follows the body
}

// contentMD5 stands for the header Content-MD5 among the checksums' names.
const contentMD5 = "md5"

// checksums reads what the client announced.
func (c *call) checksums() (*checksums, error) {
	s := &checksums{body: c.body, trailer: c.body.Trailer, sums: map[string]hash.Hash{}, want: map[string]string{}}
	for header := range c.Header {
		name, ok := strings.CutPrefix(header, checksumHeader)
		if name = strings.ToLower(name); ok && !slices.Contains([]string{"algorithm", "type", "mode"}, name) {
			if err := s.expect(name, c.Header.Get(header)); err != nil {
				return nil, err
			}
		}
	}
	if announced := c.Header.Get("X-Amz-Trailer"); announced != "" {
		for header := range strings.SplitSeq(announced, ",") {
			name, ok := strings.CutPrefix(http.CanonicalHeaderKey(strings.TrimSpace(header)), checksumHeader)
			if !ok {
				return nil, wire("NotImplemented")
			}
			if err := s.expect(strings.ToLower(name), ""); err != nil {
				return nil, err
			}
		}
	}
	if sum := c.Header.Get("Content-Md5"); sum != "" {
		if raw, err := base64.StdEncoding.DecodeString(sum); err != nil || len(raw) != md5.Size {
			return nil, wire("InvalidDigest")
		}
		s.sums[contentMD5], s.want[contentMD5] = md5.New(), sum //nolint:gosec // as above
	}
	return s, nil
}

func (s *checksums) expect(name, value string) error {
	sum := newChecksum(name)
	if sum == nil {
		return wire("NotImplemented")
	}
	if raw, err := base64.StdEncoding.DecodeString(value); value != "" && (err != nil || len(raw) != sum.Size()) {
		return wire("InvalidDigest")
	}
	s.sums[name], s.want[name] = sum, value
	return nil
}

// known returns the checksums that came before the body.
func (s *checksums) known() map[string]string {
	known := map[string]string{}
	for name, v := range s.want {
		if v != "" && name != contentMD5 {
			known[name] = v
		}
	}
	return known
}

// Read reads the body, and compares at the end.
func (s *checksums) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	for _, sum := range s.sums {
		sum.Write(p[:n])
	}
	if err != io.EOF {
		return n, err
	}
	for name, want := range s.want {
		if want == "" {
			want = s.trailer.Get(checksumHeader + name)
		}
		if got := encode(s.sums[name]); got != want {
			return n, wire("BadDigest")
		}
	}
	return n, io.EOF
}

func encode(sum hash.Hash) string { return base64.StdEncoding.EncodeToString(sum.Sum(nil)) }

// show puts the checksums that were computed into the answer's header.
func (s *checksums) show(h http.Header) {
	for name, sum := range s.sums {
		if name != contentMD5 {
			h.Set(checksumHeader+name, encode(sum))
		}
	}
}
