package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// masterSize is the master key's length in bytes: AES-256.
const masterSize = 32

// sealVersion starts every sealed secret, so that another cipher can follow one day.
const sealVersion = 1

// Sealer encrypts secrets with AES-256-GCM: one version byte, a random 12-byte nonce, the
// ciphertext and its 16-byte tag.
type Sealer struct{ aead cipher.AEAD }

// NewSealer returns a sealer under a master key of 32 bytes.
func NewSealer(master []byte) (*Sealer, error) {
	if len(master) != masterSize {
		return nil, fmt.Errorf("master key of %d bytes, want %d", len(master), masterSize)
	}
	block, err := aes.NewCipher(master)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Sealer{aead}, nil
}

// Seal encrypts secret for the key named id; under another id it does not open.
func (s *Sealer) Seal(secret []byte, id string) []byte {
	return s.aead.Seal([]byte{sealVersion}, nil, secret, []byte(id)) //nolint:gosec // this AEAD makes its own nonces
}

// Open decrypts what Seal returned.
func (s *Sealer) Open(sealed []byte, id string) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != sealVersion {
		return nil, fmt.Errorf("secret of key %s: not sealed in a known way", id)
	}
	secret, err := s.aead.Open(nil, nil, sealed[1:], []byte(id))
	if err != nil {
		return nil, fmt.Errorf("secret of key %s: damaged, or sealed under another master key: %w", id, err)
	}
	return secret, nil
}

// MasterKey returns the master key: encoded, base64 of 32 bytes, where that is set, else
// the content of the file, which is made on first use. A file that others may read is
// refused.
func MasterKey(encoded, file string) ([]byte, error) {
	if encoded != "" {
		key, err := decodeMaster(encoded)
		if err != nil {
			return nil, fmt.Errorf("TRILOBITE_MASTER_KEY: %w", err)
		}
		return key, nil
	}
	key, err := readMaster(file)
	if errors.Is(err, fs.ErrNotExist) {
		if err := writeMaster(file); err != nil {
			return nil, fmt.Errorf("making the master key: %w", err)
		}
		key, err = readMaster(file)
	}
	return key, err
}

func decodeMaster(encoded string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil || len(key) != masterSize {
		return nil, fmt.Errorf("want base64 of %d bytes", masterSize) // never quote it
	}
	return key, nil
}

func readMaster(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("master key %s: others may read it (mode %v); run chmod 600 on it", name, info.Mode())
	}
	text, err := io.ReadAll(io.LimitReader(f, 1024))
	if err != nil {
		return nil, err
	}
	key, err := decodeMaster(string(text))
	if err != nil {
		return nil, fmt.Errorf("master key %s: %w", name, err)
	}
	return key, nil
}

// writeMaster makes the file whole or not at all; if another process was faster, its file
// stays.
func writeMaster(name string) error {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, ".master-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	key := make([]byte, masterSize)
	_, _ = rand.Read(key) // never fails, says crypto/rand
	_, err = tmp.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), name); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
