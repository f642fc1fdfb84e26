package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"
)

// Certificate is a certificate chain and its key in PEM files. A change of either
// file takes effect for the connections that follow, without a restart. Make it with
// LoadCertificate.
type Certificate struct {
	certFile, keyFile string

	mu      sync.Mutex
	cert    *tls.Certificate
	stamp   string    // sizes and times of the files that cert came from
	checked time.Time // when the files were last looked at
	every   time.Duration
}

// LoadCertificate reads the files, so that a mistake in them shows at start.
func LoadCertificate(certFile, keyFile string) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile, every: time.Second}
	if err := c.load(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Certificate) load() error {
	stamp, err := stampOf(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("reading the TLS certificate: %w", err)
	}
	cert, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("reading the TLS certificate %s and key %s: %w", c.certFile, c.keyFile, err)
	}
	c.cert, c.stamp = &cert, stamp
	return nil
}

// stampOf changes when any of the files does. Links are followed: that is how
// orchestrators replace files.
func stampOf(files ...string) (string, error) {
	var stamp strings.Builder
	for _, f := range files {
		i, err := os.Stat(f)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&stamp, "%d %d;", i.Size(), i.ModTime().UnixNano())
	}
	return stamp.String(), nil
}

// current returns the certificate, read again if the files have changed. While they
// do not fit together, as between the writes of the two, the old one serves on.
func (c *Certificate) current(log *slog.Logger) *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.checked) < c.every {
		return c.cert
	}
	c.checked = time.Now()
	if stamp, err := stampOf(c.certFile, c.keyFile); err == nil && stamp == c.stamp {
		return c.cert
	}
	if err := c.load(); err != nil {
		log.Warn("keeping the old TLS certificate", "error", err)
	} else {
		log.Info("TLS certificate reloaded", "file", c.certFile)
	}
	return c.cert
}

func (c *Certificate) config(log *slog.Logger) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.current(log), nil
		},
	}
}
