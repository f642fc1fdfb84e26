package auth

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"trilobite"
)

// published are the chunks of the example in the Amazon S3 API, "Signature calculations:
// transferring payload in multiple chunks": 65 KiB of the letter a, with its keys, time
// and signatures.
func published() (body string, signer *chunkSigner, size int64) {
	const k = 1 << 10
	body = "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" +
		strings.Repeat("a", 64*k) + "\r\n" +
		"400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" +
		strings.Repeat("a", k) + "\r\n" +
		"0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n"
	s := &signature{date: "20130524", region: "us-east-1", service: "s3", at: time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)}
	return body, &chunkSigner{
		signature: s, key: s.key([]byte("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")),
		previous: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
	}, 65 * k
}

func TestChunksSigned(t *testing.T) {
	t.Parallel()
	whole, _, size := published()
	for _, tt := range []struct {
		name, body string
		reason     error // nil: it is read
	}{
		{"Amazon's example", whole, nil},
		{"a byte of the first chunk changed", strings.Replace(whole, "\r\na", "\r\nb", 1), InvalidSignature},
		{"the last chunk's signature changed", strings.Replace(whole, "b6c6ea8a", "b6c6ea8b", 1), InvalidSignature},
		{"a chunk without signature", strings.Replace(whole, "400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497", "400", 1), InvalidSignature},
		{"the end is missing", whole[:len(whole)-100], io.ErrUnexpectedEOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newChunks(strings.NewReader(tt.body), size, http.Header{})
			_, c.signed, _ = published()
			data, err := io.ReadAll(c)
			if !errors.Is(err, tt.reason) {
				t.Fatalf("error %v, want %v", err, tt.reason)
			}
			if err == nil && string(data) != strings.Repeat("a", int(size)) {
				t.Errorf("read %d bytes, want %d letters a", len(data), size)
			}
		})
	}
}

func TestChunksUnsigned(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body string
		size       int64
		want       trilobite.Code // empty: it is read
	}{
		{"a trailer", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", 5, ""},
		{"two chunks", "3\r\nhel\r\n2\r\nlo\r\n0\r\nx-amz-checksum-crc32: NhCmhg==\r\n\r\n", 5, ""},
		{"more than was promised", "6\r\nhello!\r\n0\r\n\r\n", 5, trilobite.Invalid},
		{"less than was promised", "5\r\nhello\r\n0\r\n\r\n", 6, trilobite.Invalid},
		{"a negative size", "-5\r\nhello\r\n0\r\n\r\n", 5, trilobite.Invalid},
		{"a chunk longer than it says", "4\r\nhello\r\n0\r\n\r\n", 5, trilobite.Invalid},
		{"a size that is no number", "five\r\nhello\r\n0\r\n\r\n", 5, trilobite.Invalid},
		{"a line without an end", strings.Repeat("0", 1<<20), 5, trilobite.Invalid},
		{"a trailer without a value", "5\r\nhello\r\n0\r\nnothing\r\n\r\n", 5, trilobite.Invalid},
		{"trailers without an end", "5\r\nhello\r\n0\r\n" + strings.Repeat("a:b\r\n", 1000), 5, trilobite.Invalid},
		{"something after the end", "5\r\nhello\r\n0\r\n\r\nmore", 5, trilobite.Invalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			trailer := http.Header{}
			data, err := io.ReadAll(newChunks(strings.NewReader(tt.body), tt.size, trailer))
			if tt.want != "" {
				if trilobite.CodeOf(err) != tt.want {
					t.Errorf("error %v, want %s", err, tt.want)
				}
				return
			}
			if err != nil || string(data) != "hello" || trailer.Get("x-amz-checksum-crc32") != "NhCmhg==" {
				t.Errorf("read %q, trailer %v, error %v", data, trailer, err)
			}
		})
	}
}

// FuzzChunks: whatever comes, no more is given out than was promised.
func FuzzChunks(f *testing.F) {
	f.Add("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", int64(5))
	f.Fuzz(func(t *testing.T, body string, size int64) {
		data, _ := io.ReadAll(newChunks(strings.NewReader(body), size, http.Header{}))
		if int64(len(data)) > max(size, 0) {
			t.Errorf("%d bytes of %d", len(data), size)
		}
	})
}
