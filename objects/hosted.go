package objects

import (
	"context"
	"crypto/md5" //nolint:gosec // S3's ETag is an MD5 by definition; nothing is trusted for it
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// What a hosted bucket refuses. Another account's bucket is one that is not there.
var (
	ErrBucketName = errors.New("no valid bucket name")
	ErrNoBucket   = errors.New("no such bucket")
	ErrBucketMade = errors.New("the bucket exists already")
	ErrNotEmpty   = errors.New("the bucket is not empty")
	ErrKey        = errors.New("no valid key")
	ErrNoObject   = errors.New("no such object")
	ErrExists     = errors.New("the object exists already")
	ErrInTheWay   = errors.New("the storage cannot hold this key beside others: a file and a folder of one name, or a name that is too long or reserved")
	ErrNoUpload   = errors.New("no such upload")
	ErrPart       = errors.New("a part is missing or is not what was sent")
	ErrPartOrder  = errors.New("the parts are not in ascending order")
	ErrSmallPart  = errors.New("a part other than the last is below 5 MiB")
)

// Hosted is the buckets that clients make here, each of one account: in one bucket of
// gocloud.dev/blob, as
//
//	ACCOUNT/buckets/NAME            when it was made
//	ACCOUNT/objects/NAME/KEY        an object
//	ACCOUNT/uploads/NAME/ID/…       a multipart upload under way
//
// An object appears whole or not at all, and only in a bucket that is there: commits and
// DeleteBucket exclude each other within one process. It is safe for concurrent use.
type Hosted struct {
	// Quota is how many bytes the buckets of one account may hold together, parts of
	// uploads included; 0: any number. What other processes write counts after a minute.
	Quota int64

	root *blob.Bucket
	mu   sync.Mutex // held for a commit
	used sync.Map   // *usage by account
}

// OpenHosted opens the buckets at a URL of gocloud.dev/blob.
func OpenHosted(ctx context.Context, rawURL string) (*Hosted, error) {
	root, err := blob.OpenBucket(ctx, rawURL)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", rawURL, err)
	}
	return &Hosted{root: root}, nil
}

// Close closes the storage.
func (h *Hosted) Close() error { return h.root.Close() }

// bucketRE is Amazon's rule for general purpose buckets, less what only DNS needs.
var bucketRE = regexp.MustCompile(`\A[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\z`)

// maxKey is the longest key, bytes (Amazon S3, "Naming Amazon S3 objects").
const maxKey = 1024

func marker(account, bucket string) string { return account + "/buckets/" + bucket }

func folder(account, bucket string) string { return account + "/objects/" + bucket + "/" }

// Create makes a bucket.
func (h *Hosted) Create(ctx context.Context, account, bucket string) error {
	if !bucketRE.MatchString(bucket) || strings.Contains(bucket, "..") {
		return ErrBucketName
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch err := h.Head(ctx, account, bucket); {
	case err == nil:
		return ErrBucketMade
	case !errors.Is(err, ErrNoBucket):
		return err
	}
	return h.root.WriteAll(ctx, marker(account, bucket), []byte(time.Now().UTC().Format(time.RFC3339)), nil)
}

// Head returns nil if the account has the bucket.
func (h *Hosted) Head(ctx context.Context, account, bucket string) error {
	if !bucketRE.MatchString(bucket) {
		return ErrNoBucket
	}
	ok, err := h.root.Exists(ctx, marker(account, bucket))
	if err == nil && !ok {
		return ErrNoBucket
	}
	return err
}

// Made is a bucket and when it was made.
type Made struct {
	Name string
	At   time.Time
}

// List returns the account's buckets by name.
func (h *Hosted) List(ctx context.Context, account string) ([]Made, error) {
	var all []Made
	prefix := marker(account, "")
	for it := h.root.List(&blob.ListOptions{Prefix: prefix}); ; {
		o, err := it.Next(ctx)
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		}
		all = append(all, Made{strings.TrimPrefix(o.Key, prefix), o.ModTime})
	}
}

// Delete removes an empty bucket and the uploads that were not completed.
func (h *Hosted) Delete(ctx context.Context, account, bucket string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.Head(ctx, account, bucket); err != nil {
		return err
	}
	it := h.root.List(&blob.ListOptions{Prefix: folder(account, bucket)})
	for o, err := it.Next(ctx); !errors.Is(err, io.EOF); o, err = it.Next(ctx) {
		if err != nil {
			return err
		}
		if !leftover(o) {
			return ErrNotEmpty
		}
	}
	if err := h.root.Delete(ctx, marker(account, bucket)); err != nil {
		return err
	}
	defer h.uncounted(account)
	return h.deleteAll(ctx, uploads(account, bucket, ""))
}

func (h *Hosted) deleteAll(ctx context.Context, prefix string) error {
	for it := h.root.List(&blob.ListOptions{Prefix: prefix}); ; {
		o, err := it.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = h.root.Delete(ctx, o.Key)
		}
		if err != nil && gcerrors.Code(err) != gcerrors.NotFound {
			return err
		}
	}
}

// find returns where an object of a bucket that is there is stored.
func (h *Hosted) find(ctx context.Context, account, bucket, key string) (string, error) {
	if err := h.Head(ctx, account, bucket); err != nil {
		return "", err
	}
	if !validKey(key) || len(key) > maxKey {
		return "", ErrKey
	}
	return folder(account, bucket) + key, nil
}

// commit closes w, if the bucket is still there; else nothing is written.
func (h *Hosted) commit(ctx context.Context, account, bucket string, w *blob.Writer, cancel context.CancelFunc) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	err := h.Head(ctx, account, bucket)
	if err != nil {
		cancel()
	}
	closed := w.Close()
	switch {
	case err != nil:
		return err
	case gcerrors.Code(closed) == gcerrors.FailedPrecondition:
		return ErrExists
	}
	return inTheWay(closed)
}

// write stores what fill writes under at, whole or not at all, and returns its MD5.
func (h *Hosted) write(ctx context.Context, account, bucket, at string, o *blob.WriterOptions, fill func(io.Writer) error) (sum string, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := h.root.NewWriter(ctx, at, o)
	if err != nil {
		return "", inTheWay(err)
	}
	digest := md5.New() //nolint:gosec // as above
	if err := fill(io.MultiWriter(w, digest)); err != nil {
		cancel()
		_ = w.Close() // canceled: it leaves nothing
		return "", err
	}
	return hex.EncodeToString(digest.Sum(nil)), h.commit(ctx, account, bucket, w, cancel)
}
