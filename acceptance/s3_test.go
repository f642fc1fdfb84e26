package acceptance

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// wire sees the requests of a client, and may damage their bodies.
type wire struct {
	hashes []string // X-Amz-Content-Sha256 of PUTs
	damage func([]byte)
}

// RoundTrip is http.RoundTripper's.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPut && r.Body != nil {
		w.hashes = append(w.hashes, r.Header.Get("X-Amz-Content-Sha256"))
		if w.damage != nil {
			data, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			w.damage(data)
			r.Body = io.NopCloser(bytes.NewReader(data))
		}
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestSignedChunks sends streams as MinIO's client does without TLS: in chunks, each with a
// signature of its own, with and without a checksum after them. AWS's SDKs sign no chunks.
func TestSignedChunks(t *testing.T) {
	t.Parallel()
	server, err := url.Parse(setting(t, "LOCKED"))
	if err != nil {
		t.Fatal(err)
	}
	id, secret, _ := strings.Cut(setting(t, "KEY"), ".")
	data := make([]byte, 300_000) // several chunks of 64 KiB
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(data)
	for name, trailer := range map[string]bool{"STREAMING-AWS4-HMAC-SHA256-PAYLOAD": false, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &wire{}
			client, err := minio.New(server.Host, &minio.Options{
				Creds: credentials.NewStaticV4(id, secret, ""), Region: "eu-central-1", Transport: w, TrailingHeaders: trailer, MaxRetries: 1,
			})
			if err != nil {
				t.Fatal(err)
			}
			bucket := strings.ToLower(name[len(name)-7:])
			if err := client.MakeBucket(t.Context(), bucket, minio.MakeBucketOptions{}); err != nil {
				t.Fatal(err)
			}
			options := minio.PutObjectOptions{DisableMultipart: true}
			if trailer {
				options.Checksum = minio.ChecksumCRC32C
			}
			put := func(key string) error {
				_, err := client.PutObject(t.Context(), bucket, key, bytes.NewReader(data), int64(len(data)), options)
				return err
			}
			if err := put("whole"); err != nil {
				t.Fatal(err)
			}
			if got := w.hashes[len(w.hashes)-1]; got != name {
				t.Errorf("the client sent %s", got)
			}
			o, err := client.GetObject(t.Context(), bucket, "whole", minio.GetObjectOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(o); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes came back, %v", len(got), err)
			}
			w.damage = func(body []byte) { body[200_000] ^= 1 } // in the fourth chunk
			if err := put("damaged"); minio.ToErrorResponse(err).Code != "SignatureDoesNotMatch" {
				t.Errorf("a damaged chunk: %v", err)
			}
			w.damage = nil
			if _, err := client.StatObject(t.Context(), bucket, "damaged", minio.StatObjectOptions{}); minio.ToErrorResponse(err).Code != "NoSuchKey" {
				t.Errorf("after it: %v", err)
			}
			if err := client.RemoveObject(t.Context(), bucket, "whole", minio.RemoveObjectOptions{}); err != nil {
				t.Error(err)
			}
			if err := client.RemoveBucket(t.Context(), bucket); err != nil {
				t.Error(err)
			}
		})
	}
}
