package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"trilobite"
	"trilobite/backup"
	"trilobite/custom"
	"trilobite/store/sqlite"
)

// TestBackupWhileWriting: an archive made while versions are trained and deleted has
// every model that its records name, and none of a bucket's objects without its attributes.
func TestBackupWhileWriting(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	db, err := sqlite.Open(t.Context(), filepath.Join(home, "trilobite.db"))
	if err != nil {
		t.Fatal(err)
	}
	put := func(name, text string) error {
		file := filepath.Join(home, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
			return err
		}
		return os.Rename(file+".new", file)
	}
	for _, name := range []string{"master.key", "packages/fetched", "runs/1/lock", "runs/1/events.jsonl"} {
		if err := put(name, name); err != nil {
			t.Fatal(err)
		}
	}
	p, err := db.CreateProject(t.Context(), custom.NewProject{ARN: custom.ARN{Region: "r", Account: "1", Project: "p", Kind: custom.ProjectKind}, CreatedAt: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	// life is a version's: its model is there before it is recorded, and goes after it.
	life := func(i int) error {
		model := fmt.Sprintf("custom/models/custom-%d/1/card.yaml", i)
		if err := put(model, "card"); err != nil {
			return err
		}
		v, err := db.CreateVersion(t.Context(), custom.NewVersion{Project: p.ARN, Name: fmt.Sprint("v", i), CreatedAt: time.Now(),
			Detail: custom.VersionDetail{Training: []custom.Object{{Bucket: "b", Key: "m"}}}})
		if err != nil {
			return err
		}
		l, err := db.Claim(t.Context(), custom.Task{Work: custom.TrainWork, Subject: v.ID}, "w", time.Now())
		if err != nil {
			return err
		}
		v.Model.Name = fmt.Sprintf("custom-%d@1", i)
		if err := db.FinishVersion(t.Context(), l, custom.DidTrain, v.VersionDetail); err != nil {
			return err
		}
		if err := put("s3/1/objects/b/k", strings.Repeat("x", i)); err != nil {
			return err
		}
		if err := put("s3/1/objects/b/k.attrs", fmt.Sprint(i)); err != nil {
			return err
		}
		if i%2 == 0 {
			return nil
		}
		if _, err := db.DeleteVersion(t.Context(), v.ARN, time.Now()); err != nil {
			return err
		}
		return os.RemoveAll(filepath.Join(home, "custom", "models", fmt.Sprintf("custom-%d", i)))
	}
	if err := life(2); err != nil {
		t.Fatal(err)
	}
	var writer sync.WaitGroup
	stop := make(chan struct{})
	writer.Go(func() {
		for i := 3; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := life(i); err != nil {
				t.Error(err)
				return
			}
		}
	})
	var archives []string
	for i := range 4 {
		name := filepath.Join(t.TempDir(), fmt.Sprint(i, ".tar"))
		runCmd(t, home, "backup", name)
		archives = append(archives, name)
	}
	close(stop)
	writer.Wait()
	for _, name := range archives {
		to := filepath.Join(t.TempDir(), "restored")
		runCmd(t, to, "restore", name) // which looks for every model of the records
		again, err := sqlite.Open(t.Context(), filepath.Join(to, "trilobite.db"))
		if err != nil {
			t.Fatal(err)
		}
		list, err := again.Versions(t.Context(), p.ARN, custom.VersionQuery{Limit: 10_000})
		if err != nil || len(list) == 0 {
			t.Errorf("restored versions: %d, %v", len(list), err)
		}
		for _, gone := range []string{"packages", "runs/1/lock"} {
			if _, err := os.Stat(filepath.Join(to, gone)); err == nil {
				t.Errorf("%s is in the backup", gone)
			}
		}
		if key, err := os.ReadFile(filepath.Join(to, "master.key")); string(key) != "master.key" {
			t.Errorf("master key: %q, %v", key, err)
		}
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}
	left, err := filepath.Glob(filepath.Join(home, ".backup-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "master.key"), bytes.Repeat([]byte("k"), 5000), 0o600); err != nil {
		t.Fatal(err)
	}
	var whole bytes.Buffer
	if _, err := backup.Write(t.Context(), &whole, backup.Source{Home: home}); err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(whole.Bytes())
	damaged[600] ^= 1
	for name, tt := range map[string]struct {
		archive []byte
		says    string
	}{
		"cut off":       {whole.Bytes()[:1000], "cannot be restored"},
		"without list":  {whole.Bytes()[:5632], "it was cut off"},
		"damaged":       {damaged, "master.key is missing or damaged"},
		"no archive":    {[]byte("hello"), "cannot be restored"},
		"nothing there": {nil, "it was cut off"},
	} {
		to := filepath.Join(t.TempDir(), "home")
		_, _, err := restore(t.Context(), bytes.NewReader(tt.archive), to, false)
		if trilobite.CodeOf(err) != trilobite.Invalid || !strings.Contains(trilobite.Message(err), tt.says) {
			t.Errorf("%s: %v, want %q", name, err, tt.says)
		}
		if left, _ := filepath.Glob(to + ".*"); len(left) > 0 {
			t.Errorf("%s: left over %v", name, left)
		}
	}
	if _, _, err := restore(t.Context(), bytes.NewReader(whole.Bytes()), home, false); trilobite.CodeOf(err) != trilobite.Exists {
		t.Errorf("a home that is there: %v", err)
	}
	done, err := backup.Use(home)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := restore(t.Context(), bytes.NewReader(whole.Bytes()), home, true); trilobite.CodeOf(err) != trilobite.InUse {
		t.Errorf("a home in use: %v", err)
	}
	done()
	_, aside, err := restore(t.Context(), bytes.NewReader(whole.Bytes()), home, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{home, aside} {
		if key, err := os.ReadFile(filepath.Join(dir, "master.key")); len(key) != 5000 {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

// runCmd runs a command of the program on a home and returns what it printed, as JSON.
func runCmd(t *testing.T, home string, args ...string) map[string]any {
	t.Helper()
	cmd := newRootCmd()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetArgs(append(args, "--home", home, "--json"))
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("trilobite %s: %v", strings.Join(args, " "), err)
	}
	var v map[string]any
	if err := json.Unmarshal(out.Bytes(), &v); err != nil {
		t.Fatalf("%v: %s", err, out.Bytes())
	}
	return v
}
