package auth

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"

	"trilobite"
)

// chunks takes apart a body in aws-chunked encoding (Amazon S3 API, "Signature
// calculations: transferring payload in multiple chunks"):
//
//	HEX-SIZE[;chunk-signature=HEX] CR LF data CR LF …
//	0[;chunk-signature=HEX] CR LF [NAME:VALUE CR LF …] CR LF
//
// Data is given out before its chunk's signature is known, so only io.EOF says that all
// of it was right.
type chunks struct {
	from    *bufio.Reader
	left    int64 // of the chunk
	promise int64 // bytes that are still to come
	trailer http.Header
	sum     hash.Hash
	claim   string       // the chunk's signature
	signed  *chunkSigner // nil: signatures are not looked at
	begun   bool
	err     error
}

// chunkSigner computes the signatures, each of which covers the one before.
type chunkSigner struct {
	*signature
	key      []byte
	previous string // hex
}

const (
	maxChunkLine = 4 << 10 // bytes of a line between chunks
	maxTrailers  = 16
)

func newChunks(r io.Reader, size int64, trailer http.Header) *chunks {
	return &chunks{from: bufio.NewReaderSize(r, maxChunkLine), promise: size, trailer: trailer, sum: sha256.New()}
}

// Read reads data of the chunks.
func (c *chunks) Read(p []byte) (int, error) {
	for c.err == nil && c.left == 0 {
		c.err = c.next()
	}
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.from.Read(p[:min(int64(len(p)), c.left)])
	c.sum.Write(p[:n])
	c.left -= int64(n)
	if err != nil {
		c.err = cutOff(err)
	}
	return n, c.err
}

// next ends a chunk and begins the one that follows it; io.EOF is the end of all.
func (c *chunks) next() error {
	if c.begun {
		if line, err := c.line(); err != nil || line != "" {
			return orMalformed(err)
		}
		if err := c.verify("AWS4-HMAC-SHA256-PAYLOAD", hashOf(""), hex.EncodeToString(c.sum.Sum(nil))); err != nil {
			return err
		}
	}
	c.begun = true
	line, err := c.line()
	if err != nil {
		return err
	}
	digits, extension, _ := strings.Cut(line, ";")
	size, err := strconv.ParseInt(digits, 16, 64)
	if err != nil || size < 0 || size > c.promise {
		return malformed()
	}
	c.claim = strings.TrimPrefix(extension, "chunk-signature=")
	c.left, c.promise = size, c.promise-size
	c.sum.Reset()
	if size > 0 {
		return nil
	}
	if c.promise > 0 {
		return malformed()
	}
	if err := c.verify("AWS4-HMAC-SHA256-PAYLOAD", hashOf(""), hashOf("")); err != nil {
		return err
	}
	return c.end()
}

// end reads the trailer up to the empty line, or the end, after it. Where it is signed,
// there may be an empty line before its signature, too, as in Amazon's example.
func (c *chunks) end() error {
	var signed bytes.Buffer
	for range maxTrailers {
		line, err := c.line()
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		if line == "" && err == nil && c.signed != nil && signed.Len() > 0 && c.claim == "" {
			continue
		}
		if line == "" {
			if signed.Len() > 0 {
				if err := c.verify("AWS4-HMAC-SHA256-TRAILER", hashOf(signed.String())); err != nil {
					return err
				}
			}
			return c.rest()
		}
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case !ok:
			return malformed()
		case name == "x-amz-trailer-signature":
			c.claim = value
		default:
			c.trailer.Set(name, value)
			signed.WriteString(name + ":" + value + "\n")
		}
	}
	return malformed()
}

// rest is io.EOF if nothing but an empty line follows.
func (c *chunks) rest() error {
	after, err := io.ReadAll(io.LimitReader(c.from, 3))
	if err != nil {
		return err
	}
	if s := string(after); s != "" && s != "\r\n" {
		return malformed()
	}
	return io.EOF
}

// verify checks the signature that was claimed last.
func (c *chunks) verify(algorithm string, hashes ...string) error {
	if c.signed == nil {
		return nil
	}
	want := hex.EncodeToString(mac(c.signed.key, c.signed.text(algorithm, append([]string{c.signed.previous}, hashes...)...)))
	if !hmac.Equal([]byte(want), []byte(c.claim)) {
		return refuse(InvalidSignature, mismatch)
	}
	c.signed.previous = want
	c.claim = ""
	return nil
}

func (c *chunks) line() (string, error) {
	line, err := c.from.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", malformed()
	case err != nil:
		return "", cutOff(err)
	}
	return string(bytes.TrimRight(line, "\r\n")), nil
}

func cutOff(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func orMalformed(err error) error {
	if err != nil {
		return err
	}
	return malformed()
}

func malformed() error {
	return &trilobite.Error{Op: "auth.S3", Code: trilobite.Invalid, Msg: "The aws-chunked body is malformed, or not as long as x-amz-decoded-content-length says."}
}
