package objects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"trilobite"
)

// Open returns an object to be read bit by bit, and its size. A bucket that is not
// configured, or not for the account, or that denies us, is trilobite.Forbidden; they are
// not told apart.
// An object that is not there is trilobite.NotFound, and anything else
// trilobite.Unreachable.
func (b *Buckets) Open(ctx context.Context, account, bucket, key, version string) (io.ReadCloser, int64, error) {
	r, err := b.reader(ctx, account, bucket, key, version)
	if err != nil {
		return nil, 0, explain("Open", bucket, key, err)
	}
	return r, r.Size(), nil
}

// Stat returns an object's size. Its errors are Open's.
func (b *Buckets) Stat(ctx context.Context, account, bucket, key string) (int64, error) {
	at, name, err := b.allowed(ctx, account, bucket, key)
	if err != nil {
		return 0, explain("Stat", bucket, key, err)
	}
	attributes, err := at.Attributes(ctx, name)
	if err != nil {
		return 0, explain("Stat", bucket, key, err)
	}
	return attributes.Size, nil
}

// Write makes or replaces an object: whole, or not at all. Its errors are Open's.
func (b *Buckets) Write(ctx context.Context, account, bucket, key string, data []byte) error {
	err := b.write(ctx, account, bucket, key, data)
	if err != nil {
		return explain("Write", bucket, key, err)
	}
	return nil
}

func (b *Buckets) write(ctx context.Context, account, bucket, key string, data []byte) error {
	if b.hosted != nil && !b.Configured(bucket) {
		_, err := b.hosted.Put(ctx, account, bucket, key, Attributes{}, bytes.NewReader(data), false)
		return err
	}
	at, name, err := b.allowed(ctx, account, bucket, key)
	if err != nil {
		return err
	}
	return at.WriteAll(ctx, name, data, nil)
}

// explain says what an error means to who named the object.
func explain(method, bucket, key string, err error) error {
	code := trilobite.Unreachable
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		code = trilobite.Canceled
	case errors.Is(err, errUnknown), errors.Is(err, errAccount), errors.Is(err, ErrNoBucket), errors.Is(err, ErrQuota), gcerrors.Code(err) == gcerrors.PermissionDenied:
		code = trilobite.Forbidden
	case errors.Is(err, errKey), errors.Is(err, ErrKey), gcerrors.Code(err) == gcerrors.NotFound:
		code = trilobite.NotFound
	}
	return &trilobite.Error{
		Op: "objects." + method, Code: code, Err: err,
		Msg: fmt.Sprintf("The object %q of bucket %q cannot be reached.", key, bucket),
	}
}

// allowed returns the open bucket and the key in it, if the account may use it and the
// key can be one.
func (b *Buckets) allowed(ctx context.Context, account, name, key string) (*blob.Bucket, string, error) {
	config, err := b.check(ctx, account, name, key)
	if errors.Is(err, errUnknown) && b.hosted != nil {
		at, err := b.hosted.find(ctx, account, name, key)
		return b.hosted.root, at, err
	}
	if err != nil {
		return nil, "", err
	}
	bucket, err := b.bucket(ctx, name, config.URL)
	return bucket, key, err
}
