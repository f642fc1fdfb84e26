package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"trilobite/deps"
)

// download asks the registry's client for the one archive and returns its path.
func download(ctx context.Context, p deps.Package, a deps.Archive, dir string) (string, error) {
	var cmd *exec.Cmd
	switch p.Registry {
	case "npm":
		cmd = exec.CommandContext(ctx, "npm", "pack", "--silent", "--pack-destination", dir, a.Package+"@"+p.Version) //nolint:gosec // arguments are pinned in deps.yaml
	case "pypi":
		list := filepath.Join(dir, "requirements.txt")
		line := fmt.Sprintf("%s==%s --hash=sha256:%s\n", a.Package, p.Version, a.Hash)
		if err := os.WriteFile(list, []byte(line), 0o600); err != nil {
			return "", err
		}
		args := []string{"-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--only-binary=:all:", "--dest", dir, "-r", list}
		if a.Tag != "" {
			version := strings.Replace(strings.TrimPrefix(a.Python, "cp"), "3", "3.", 1)
			args = append(args, "--platform", a.Tag, "--implementation", "cp", "--python-version", version, "--abi", a.Python)
		}
		cmd = exec.CommandContext(ctx, "python3", args...) //nolint:gosec // arguments are pinned in deps.yaml
	default:
		return "", fmt.Errorf("registry %q is neither npm nor pypi", p.Registry)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return "", fmt.Errorf("%s is not installed: it brings the pinned packages", cmd.Args[0])
		}
		return "", fmt.Errorf("%s: %w: %s", cmd.Args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	for _, pattern := range []string{"*.tgz", "*.whl"} {
		if found, _ := filepath.Glob(filepath.Join(dir, pattern)); len(found) == 1 {
			return found[0], nil
		}
	}
	return "", errors.New("the registry's client wrote no archive")
}

// verify compares the archive's hash with the pinned one.
func verify(archive, registry, want string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	var h hash.Hash
	var encode func([]byte) string
	if registry == "npm" {
		h, encode = sha512.New(), base64.StdEncoding.EncodeToString
	} else {
		h, encode = sha256.New(), hex.EncodeToString
	}
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := encode(h.Sum(nil)); got != want {
		return fmt.Errorf("hash is %s, deps.yaml pins %s: the package is not the one that was checked", got, want)
	}
	return nil
}
