package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"trilobite"
)

// Reasons that only S3 has names for.
//
//nolint:errname // as the reasons of Reason
const (
	Skewed  Reason = "RequestTimeTooSkewed"      // signed too long ago, or ahead
	Expired Reason = "ExpiredPresignedRequest"   // a presigned request after its time
	Digest  Reason = "XAmzContentSHA256Mismatch" // the body is not the one that was signed
)

// s3Window is how far a signature's time may be from ours in S3 (Amazon S3 API,
// "RequestTimeTooSkewed": 15 minutes).
const s3Window = 15 * time.Minute

// What X-Amz-Content-Sha256 has in place of a hash (Amazon S3 API, "Authenticating
// requests: using the Authorization header").
const (
	unsignedPayload = "UNSIGNED-PAYLOAD"
	signedChunks    = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	signedTrailer   = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	unsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

// Service returns the service that a request says it is signed for, in its Authorization
// header or its query; "" if it says none. Nothing is verified.
func Service(r *http.Request) string {
	credential := ""
	if h := r.Header.Get("Authorization"); h != "" {
		_, credential, _ = strings.Cut(h, "Credential=")
		credential, _, _ = strings.Cut(credential, ",")
	} else if strings.Contains(r.URL.RawQuery, "X-Amz-Credential=") {
		credential = r.URL.Query().Get("X-Amz-Credential")
	}
	parts := strings.Split(strings.TrimSpace(credential), "/")
	if len(parts) != 5 {
		return ""
	}
	return parts[3]
}

// S3Body is the body of a request to S3: without the framing of aws-chunked, and verified
// as it is read. Only io.EOF says that it is whole and what was signed.
type S3Body struct {
	io.Reader
	Size int64 // bytes; -1 where the client does not say
	// Trailer has the checksums that follow the body, complete at io.EOF.
	Trailer http.Header
}

// S3 says who signed r for S3, and returns its body. Other than SigV4 it reads nothing of
// the body itself: bodies may be of any size, in signed or unsigned chunks or not signed
// at all, and their reader is what refuses a wrong one.
func (a *Authenticator) S3(r *http.Request) (Identity, *S3Body, error) {
	s, err := parseSignature(r)
	if a.off {
		body, err := s.s3Body(r, nil)
		return Identity{Account: DefaultAccount, Region: s.regionOr(DefaultRegion)}, body, err
	}
	if err != nil {
		return Identity{}, nil, err
	}
	if err := s.checkS3(r, a.Now()); err != nil {
		return Identity{}, nil, err
	}
	k, err := a.lookup(r.Context(), s.keyID)
	if err != nil {
		return Identity{}, nil, err
	}
	if k == nil {
		return Identity{}, nil, refuse(Unrecognized, "The AWS Access Key Id you provided does not exist in our records.")
	}
	payload := r.Header.Get("X-Amz-Content-Sha256")
	switch {
	case payload == "" && s.presigned:
		payload = unsignedPayload
	case payload == "":
		return Identity{}, nil, refuse(Incomplete, "Missing required header for this request: x-amz-content-sha256")
	}
	key := s.key(k.secret)
	canonical := s.canonicalRequest(r, strings.ReplaceAll(escape(r.URL.Path), "%2F", "/"), payload)
	if !hmac.Equal(mac(key, s.text(algorithm, hashOf(canonical))), s.sum) {
		return Identity{}, nil, refuse(InvalidSignature, mismatch)
	}
	who, err := a.admit(k)
	if err != nil {
		return Identity{}, nil, err
	}
	who.Region = s.regionOr(DefaultRegion)
	body, err := s.s3Body(r, key)
	return who, body, err
}

// checkS3 is check with S3's times, and with every x-amz- header signed: they decide what
// a request does.
func (s *signature) checkS3(r *http.Request, now time.Time) error {
	switch age := now.Sub(s.at); {
	case s.presigned && age > s.expires:
		return refuse(Expired, "Request has expired")
	case age < -s3Window, !s.presigned && age > s3Window:
		return refuse(Skewed, "The difference between the request time and the current time is too large.")
	}
	for name := range r.Header {
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "x-amz-") && !slices.Contains(s.headers, lower) {
			return refuse(InvalidSignature, "There were headers present in the request which were not signed: "+cut(lower))
		}
	}
	return s.check(r, "s3", now, s3Window)
}

// s3Body returns the body of r, which chunks signed with key; without a key their
// signatures are not looked at.
func (s *signature) s3Body(r *http.Request, key []byte) (*S3Body, error) {
	b := &S3Body{Reader: r.Body, Size: r.ContentLength, Trailer: http.Header{}}
	if r.Body == nil {
		b.Reader, b.Size = http.NoBody, 0
	}
	payload := r.Header.Get("X-Amz-Content-Sha256")
	switch payload {
	case "", unsignedPayload:
	case signedChunks, signedTrailer, unsignedTrailer:
		size, err := strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
		if err != nil || size < 0 {
			return nil, refuse(Incomplete, "Chunked bodies need the header x-amz-decoded-content-length.")
		}
		b.Size = size
		c := newChunks(b.Reader, size, b.Trailer)
		if key != nil && payload != unsignedTrailer {
			c.signed = &chunkSigner{signature: s, key: key, previous: hex.EncodeToString(s.sum)}
		}
		b.Reader = c
	default:
		sum, err := hex.DecodeString(payload)
		if err != nil || len(sum) != sha256.Size {
			return nil, &trilobite.Error{
				Op: "auth.S3", Code: trilobite.Invalid,
				Msg: "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a STREAMING- word that is supported, or a valid sha256 value.",
			}
		}
		b.Reader = &hashed{Reader: b.Reader, sum: sha256.New(), want: sum}
	}
	return b, nil
}

// hashed is a body that ends in an error if it has another hash.
type hashed struct {
	io.Reader
	sum  hash.Hash
	want []byte
}

// Read reads, and looks at the hash at the end.
func (h *hashed) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	h.sum.Write(p[:n])
	if err == io.EOF && !hmac.Equal(h.sum.Sum(nil), h.want) { //nolint:errorlint // a Reader's own io.EOF
		err = refuse(Digest, "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	return n, err
}
