package server_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	client "cloud.google.com/go/vision/v2/apiv1"
	pb "cloud.google.com/go/vision/v2/apiv1/visionpb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	grpcstatus "google.golang.org/grpc/status"

	"trilobite"
	"trilobite/api/google"
	"trilobite/api/vision"
	"trilobite/server"
)

// writeCert puts a self-signed certificate for 127.0.0.1 and its key into dir.
func writeCert(t *testing.T, dir string, serial int64) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, data := range map[string][]byte{certFile: certPEM, keyFile: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return certFile, keyFile, pool
}

type seer struct{}

func (seer) Analyze(context.Context, []byte, trilobite.AnalyzeParams) (*trilobite.Analysis, error) {
	return &trilobite.Analysis{Width: 1, Height: 1, Labels: []trilobite.Label{{Name: "Bicycle", Score: 0.875}}}, nil
}

func visionAPI(h *vision.Handler) server.API {
	return server.API{Name: "vision", Handler: h, Operation: vision.Operation, Error: google.WriteError}
}

func label(t *testing.T, c *client.ImageAnnotatorClient) error {
	t.Helper()
	resp, err := c.BatchAnnotateImages(t.Context(), &pb.BatchAnnotateImagesRequest{Requests: []*pb.AnnotateImageRequest{{
		Image: &pb.Image{Content: make([]byte, 5<<20)}, Features: []*pb.Feature{{Type: pb.Feature_LABEL_DETECTION}},
	}}})
	if err == nil && resp.GetResponses()[0].GetLabelAnnotations()[0].GetDescription() != "Bicycle" {
		t.Errorf("got %v", resp)
	}
	return err
}

func TestVisionClientThroughTheServer(t *testing.T) {
	t.Parallel()
	addr := start(t, server.Config{Vision: visionAPI(vision.New(vision.Config{Analyzer: seer{}})), Open: true})
	rpc, err := client.NewImageAnnotatorClient(t.Context(), option.WithEndpoint(addr), option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
	if err != nil {
		t.Fatal(err)
	}
	defer rpc.Close()
	if err := label(t, rpc); err != nil {
		t.Errorf("gRPC: %v", err)
	}
	rest, err := client.NewImageAnnotatorRESTClient(t.Context(), option.WithEndpoint("http://"+addr), option.WithoutAuthentication())
	if err != nil {
		t.Fatal(err)
	}
	defer rest.Close()
	if err := label(t, rest); err != nil {
		t.Errorf("REST: %v", err)
	}

	evil, err := client.NewImageAnnotatorClient(t.Context(), option.WithEndpoint(addr), option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())),
		option.WithGRPCDialOption(grpc.WithAuthority("evil.example")))
	if err != nil {
		t.Fatal(err)
	}
	defer evil.Close()
	if err := label(t, evil); grpcstatus.Code(err) != codes.PermissionDenied {
		t.Errorf("foreign authority: got %v, want PermissionDenied", err)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certFile, keyFile, pool := writeCert(t, dir, 1)
	cert, err := server.LoadCertificate(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	addr := start(t, server.Config{Vision: visionAPI(vision.New(vision.Config{Analyzer: seer{}})), TLS: cert, Open: true})

	c, err := client.NewImageAnnotatorClient(t.Context(), option.WithEndpoint(addr), option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: pool}))))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := label(t, c); err != nil {
		t.Errorf("gRPC over TLS: %v", err)
	}

	serial := func(protocols ...string) (int64, string, error) {
		conn, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, NextProtos: protocols}}).DialContext(t.Context(), "tcp", addr)
		if err != nil {
			return 0, "", err
		}
		defer conn.Close()
		s := conn.(*tls.Conn).ConnectionState()
		return s.PeerCertificates[0].SerialNumber.Int64(), s.NegotiatedProtocol, nil
	}
	for want, offer := range map[string][]string{"h2": {"h2", "http/1.1"}, "http/1.1": {"http/1.1"}} {
		if _, got, err := serial(offer...); err != nil || got != want {
			t.Errorf("ALPN %v: got %q, %v, want %q", offer, got, err, want)
		}
	}

	// A key that does not fit: the old pair serves on.
	good, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(keyFile, good[:len(good)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond)
	if got, _, err := serial("h2"); err != nil || got != 1 {
		t.Errorf("half-written key: got serial %d, %v, want the old 1", got, err)
	}
	writeCert(t, dir, 2)
	time.Sleep(1100 * time.Millisecond)
	if got, _, err := serial("h2"); err != nil || got != 2 {
		t.Errorf("after the change: got serial %d, %v, want 2", got, err)
	}
}

func TestLoadCertificateNamesTheFile(t *testing.T) {
	t.Parallel()
	if _, err := server.LoadCertificate("none.pem", "none.key"); err == nil {
		t.Error("no error for a missing file")
	}
}
