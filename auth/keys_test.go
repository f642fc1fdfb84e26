package auth_test

import (
	"bytes"
	"encoding/base64"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trilobite"
	"trilobite/auth"
)

func TestCreate(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	seen := map[string]bool{}
	for range 50 {
		k, secret, err := d.keys.Create(t.Context(), auth.NewKey{Name: "camera"})
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^TRLB[A-Z2-7]{16}$`).MatchString(k.ID) || !regexp.MustCompile(`^[A-Za-z0-9]{40}$`).MatchString(secret) {
			t.Errorf("key %s, secret of %d characters", k.ID, len(secret))
		}
		if seen[k.ID] || seen[secret] {
			t.Error("made twice")
		}
		seen[k.ID], seen[secret] = true, true
		if k.Account != auth.DefaultAccount || bytes.Contains(k.Sealed, []byte(secret)) {
			t.Errorf("key %+v", k)
		}
	}
	if keys, err := d.keys.List(t.Context(), auth.DefaultAccount); err != nil || len(keys) != 50 {
		t.Errorf("%d keys, %v", len(keys), err)
	}
}

func TestCreateRules(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	tests := []struct {
		name string
		in   auth.NewKey
	}{
		{"short account", auth.NewKey{Account: "12345678901"}},
		{"letters in the account", auth.NewKey{Account: "12345678901x"}},
		{"other digits in the account", auth.NewKey{Account: "١٢٣٤٥٦"}},
		{"long name", auth.NewKey{Name: strings.Repeat("é", 101)}},
		{"line break in the name", auth.NewKey{Name: "a\nb"}},
		{"name that is no text", auth.NewKey{Name: "\xff"}},
		{"negative rate", auth.NewKey{RatePerSecond: -1}},
		{"rate that is no number", auth.NewKey{RatePerSecond: math.NaN()}},
		{"infinite rate", auth.NewKey{RatePerSecond: math.Inf(1)}},
		{"negative burst", auth.NewKey{Burst: -1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, _, err := d.keys.Create(t.Context(), tt.in); trilobite.CodeOf(err) != trilobite.Invalid || err == nil {
				t.Errorf("Create: %v, want code invalid", err)
			}
		})
	}
}

func TestSealer(t *testing.T) {
	t.Parallel()
	one, err := auth.NewSealer(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	two, err := auth.NewSealer(bytes.Repeat([]byte{2}, 32))
	if err != nil {
		t.Fatal(err)
	}
	sealed := one.Seal([]byte("secret"), "A")
	if got, err := one.Open(sealed, "A"); err != nil || string(got) != "secret" {
		t.Errorf("Open = %q, %v", got, err)
	}
	if bytes.Equal(sealed, one.Seal([]byte("secret"), "A")) {
		t.Error("sealed twice alike: no nonce")
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := one.Open(bad, "A"); err == nil {
			t.Errorf("opened with byte %d changed", i)
		}
	}
	for name, open := range map[string]func() ([]byte, error){
		"another key's id":      func() ([]byte, error) { return one.Open(sealed, "B") },
		"another master key":    func() ([]byte, error) { return two.Open(sealed, "A") },
		"nothing":               func() ([]byte, error) { return one.Open(nil, "A") },
		"the version byte":      func() ([]byte, error) { return one.Open(sealed[:1], "A") },
		"half of what there is": func() ([]byte, error) { return one.Open(sealed[:10], "A") },
	} {
		if got, err := open(); err == nil {
			t.Errorf("%s: opened %q", name, got)
		}
	}
	if _, err := auth.NewSealer(make([]byte, 16)); err == nil {
		t.Error("a master key of 16 bytes was taken")
	}
}

func TestMasterKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "new", "master.key")
	var wg sync.WaitGroup
	made := make([][]byte, 8)
	for i := range made { // processes that start at once agree on one key
		wg.Go(func() {
			key, err := auth.MasterKey("", file)
			if err != nil {
				t.Error(err)
			}
			made[i] = key
		})
	}
	wg.Wait()
	for _, key := range made {
		if diff := cmp.Diff(made[0], key); diff != "" || len(key) != 32 {
			t.Errorf("keys differ: %s", diff)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "new", ".master-*")); left != nil {
		t.Errorf("left over: %v", left)
	}
	given := bytes.Repeat([]byte{7}, 32)
	if key, err := auth.MasterKey(base64.StdEncoding.EncodeToString(given)+"\n", file); err != nil || !bytes.Equal(key, given) {
		t.Errorf("a key given by environment: %v", err)
	}
	for _, bad := range []string{"short", base64.StdEncoding.EncodeToString(given[:31]), "***"} {
		if _, err := auth.MasterKey(bad, file); err == nil || !strings.Contains(err.Error(), "TRILOBITE_MASTER_KEY") || strings.Contains(err.Error(), bad) {
			t.Errorf("MasterKey(%q): %v", bad, err)
		}
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.MasterKey("", file); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a file that others may read: %v", err)
	}
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.MasterKey("", empty); err == nil {
		t.Error("an empty file was taken")
	}
}

func TestRotateAndRevokeErrors(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	k, _, err := d.keys.Create(t.Context(), auth.NewKey{Account: account})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.keys.Rotate(t.Context(), "999999999999", k.ID); trilobite.CodeOf(err) != trilobite.NotFound {
		t.Errorf("rotating another account's key: %v", err)
	}
	if err := d.keys.Revoke(t.Context(), "999999999999", k.ID); trilobite.CodeOf(err) != trilobite.NotFound {
		t.Errorf("revoking another account's key: %v", err)
	}
	d.clock.advance(time.Minute)
	if err := d.keys.Revoke(t.Context(), "", k.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := d.keys.Rotate(t.Context(), account, k.ID); trilobite.CodeOf(err) != trilobite.Invalid {
		t.Errorf("rotating a revoked key: %v", err)
	}
}
