package backup

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"trilobite"
)

// LockFile is in a home that is, or was, served.
const LockFile = "in-use.lock"

// Use marks a home as in use until done is called, or the process ends. Many may use it.
func Use(home string) (done func(), err error) { return lock(home, syscall.LOCK_SH) }

// Alone is Use for one who must be alone with a home. It fails with trilobite.InUse if a
// server or worker runs on it.
func Alone(home string) (done func(), err error) { return lock(home, syscall.LOCK_EX) }

func lock(home string, how int) (func(), error) {
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(home, LockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, err
		}
		return nil, &trilobite.Error{Op: "backup.Use", Code: trilobite.InUse, Msg: "Another trilobite is at work in " + home + "; stop it first.", Err: err}
	}
	return func() { _ = f.Close() }, nil
}
