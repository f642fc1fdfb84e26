// Package objects reads and writes what requests name in buckets: images, manifests, and
// the results of trainings.
//
// A bucket is one that the configuration maps to a URL of gocloud.dev/blob: file:///dir,
// s3://bucket, gs://bucket or mem://, with the options each driver documents (?prefix=,
// ?region=, …); or one of an account's own, made through Amazon S3's interface and kept
// below one such URL (hosted.go). Nothing a client sends becomes a URL or a path by itself. Only
// Write writes.
//
// In a file:// bucket symbolic links are followed: who can make one there owns the bucket.
package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"cloud.google.com/go/storage"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // file://
	_ "gocloud.dev/blob/gcsblob"  // gs://
	_ "gocloud.dev/blob/memblob"  // mem://
	_ "gocloud.dev/blob/s3blob"   // s3://

	"trilobite"
)

// Bucket is where a bucket's objects are, and whose they are.
type Bucket struct {
	URL      string   `yaml:"url"`
	Accounts []string `yaml:"accounts"` // 12 digits each; empty: every account may read and write
}

// Buckets reads objects. It is safe for concurrent use.
type Buckets struct {
	config map[string]Bucket
	hosted *Hosted // nil: none

	mu   sync.Mutex
	open map[string]*blob.Bucket // by name, opened on first use
}

// New returns the buckets of a configuration, by the names clients use. It opens none
// yet: a cloud that is away must not keep the server from starting.
func New(config map[string]Bucket) (*Buckets, error) {
	for name, b := range config {
		u, err := url.Parse(b.URL)
		if err != nil || !blob.DefaultURLMux().ValidBucketScheme(u.Scheme) {
			return nil, fmt.Errorf("bucket %s: %q is no file://, s3://, gs:// or mem:// URL", name, b.URL)
		}
	}
	return &Buckets{config: config, open: map[string]*blob.Bucket{}}, nil
}

// Host adds the buckets that clients make: a name that is not configured is looked for
// among the caller's. They are the caller's of Close.
func (b *Buckets) Host(h *Hosted) { b.hosted = h }

// Configured reports whether the configuration has a bucket of this name.
func (b *Buckets) Configured(name string) bool {
	_, ok := b.config[name]
	return ok
}

// Close closes the buckets that were opened.
func (b *Buckets) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for name, bucket := range b.open {
		errs = append(errs, bucket.Close())
		delete(b.open, name)
	}
	return errors.Join(errs...)
}

// Read returns an object of at most limit bytes; of a versioned bucket the given version,
// or the latest for "". What cannot be read, for whatever reason, is
// trilobite.Unreachable, so that an answer does not tell which buckets and objects of
// others exist; an object over the limit is trilobite.ImageTooLarge, found before its
// content is read.
func (b *Buckets) Read(ctx context.Context, account, bucket, key, version string, limit int64) ([]byte, error) {
	data, err := b.read(ctx, account, bucket, key, version, limit)
	switch {
	case err == nil:
		return data, nil
	case ctx.Err() != nil:
		return nil, &trilobite.Error{Op: "objects.Read", Code: trilobite.Canceled, Msg: "The object could not be read in time.", Err: err}
	case errors.Is(err, errTooLarge):
		return nil, &trilobite.Error{
			Op: "objects.Read", Code: trilobite.ImageTooLarge,
			Msg: fmt.Sprintf("The object %q of bucket %q is larger than %d bytes.", key, bucket, limit), Err: err,
		}
	default:
		return nil, &trilobite.Error{
			Op: "objects.Read", Code: trilobite.Unreachable,
			Msg: fmt.Sprintf("The object %q of bucket %q cannot be read.", key, bucket), Err: err,
		}
	}
}

var (
	errTooLarge = errors.New("object over the limit")
	errKey      = errors.New("key that no object has")
	errVersion  = errors.New("bucket without versions")
	errAccount  = errors.New("bucket of another account")
	errUnknown  = errors.New("bucket that is not configured")
)

// check returns a bucket's configuration, if the account may use it and the key can be
// an object's.
func (b *Buckets) check(ctx context.Context, account, name, key string) (Bucket, error) {
	config, ok := b.config[name]
	switch {
	case ctx.Err() != nil: // not every driver looks
		return config, ctx.Err()
	case !ok:
		return config, errUnknown
	case len(config.Accounts) > 0 && !slices.Contains(config.Accounts, account):
		return config, errAccount
	case !validKey(key):
		return config, errKey
	}
	return config, nil
}

func (b *Buckets) reader(ctx context.Context, account, name, key, version string) (*blob.Reader, error) {
	bucket, key, err := b.allowed(ctx, account, name, key)
	if err != nil {
		return nil, err
	}
	var opts blob.ReaderOptions
	if version != "" {
		opts.BeforeRead = func(as func(any) bool) error { return choose(as, version) }
	}
	return bucket.NewReader(ctx, key, &opts)
}

func (b *Buckets) read(ctx context.Context, account, name, key, version string, limit int64) ([]byte, error) {
	r, err := b.reader(ctx, account, name, key, version)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if r.Size() > limit {
		return nil, errTooLarge
	}
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if int64(len(data)) > limit { // it grew
		return nil, errTooLarge
	}
	return data, err
}

// bucket returns the open bucket, opening it on first use.
func (b *Buckets) bucket(ctx context.Context, name, rawURL string) (*blob.Bucket, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if bucket := b.open[name]; bucket != nil {
		return bucket, nil
	}
	// The bucket outlives the request that is first to need it.
	bucket, err := blob.OpenBucket(context.WithoutCancel(ctx), rawURL)
	if err != nil {
		return nil, err
	}
	b.open[name] = bucket
	return bucket, nil
}

// validKey reports whether key can name an object without leaving its bucket, on any
// driver and operating system.
func validKey(key string) bool {
	if key == "" || strings.ContainsAny(key, "\x00\\") || strings.HasPrefix(key, "/") {
		return false
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "." || part == ".." {
			return false
		}
	}
	return true
}

// choose makes a driver read a version: S3's version id, Cloud Storage's generation.
func choose(as func(any) bool, version string) error {
	var in *s3.GetObjectInput
	if as(&in) {
		in.VersionId = &version
		return nil
	}
	var handle **storage.ObjectHandle
	if as(&handle) {
		generation, err := strconv.ParseInt(version, 10, 64)
		if err != nil {
			return fmt.Errorf("generation %q: %w", version, err)
		}
		*handle = (*handle).Generation(generation)
		return nil
	}
	return errVersion
}
