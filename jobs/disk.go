package jobs

import (
	"errors"
	"syscall"
)

// freeDisk returns the bytes that others than root may still write to a folder's file system.
func freeDisk(dir string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil //nolint:unconvert // Bsize's type differs between systems
}

// noSpace reports whether a disk is full, or our part of it.
func noSpace(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }
