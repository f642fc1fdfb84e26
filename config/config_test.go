package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "trilobite.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func flags(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	f := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f.String("addr", "", "")
	f.StringSlice("models", nil, "")
	f.Bool("json", false, "no setting")
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return f
}

// It sets environment variables, so it does not run in parallel.
func TestPrecedence(t *testing.T) {
	name := write(t, "addr: 127.0.0.1:1\nmodels: [a]\nort:\n  wait: 5ms\nlog:\n  level: debug\n")
	t.Setenv("TRILOBITE_ADDR", "127.0.0.1:2")
	t.Setenv("TRILOBITE_MODELS", "b, c@2")
	t.Setenv("TRILOBITE_BUCKETS", "my.photos=file:///srv/photos")
	c, origin, err := Load(name, flags(t, "--addr", "127.0.0.1:3", "--json"))
	if err != nil {
		t.Fatal(err)
	}
	got := []any{c.Addr, origin["addr"], c.Models, origin["models"], c.ORT.Wait, origin["ort.wait"], c.Log.Format, origin["log.format"], c.Buckets}
	want := []any{"127.0.0.1:3", "flag", []string{"b", "c@2"}, "environment", 5 * time.Millisecond, "file", "text", "default", []string{"my.photos=file:///srv/photos"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Load (-want +got):\n%s", diff)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, yaml, want string }{
		{"unknown setting", "addr_: x", `"addr_"`},
		{"unknown nested setting", "ort:\n  thread: 1", `"ort.thread"`},
		{"half of TLS", "tls:\n  cert: a.pem", "tls.cert and tls.key"},
		{"unknown provider", "ort:\n  provider: tpu", `"tpu"`},
		{"bucket without a URL", "buckets: [photos]", "NAME=URL"},
		{"too little memory", "limits:\n  memory: 1", "64 MiB"},
		{"not YAML", "addr: [", "file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := Load(write(t, tt.yaml), nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Load = %v, want an error with %s", err, tt.want)
			}
		})
	}
}
