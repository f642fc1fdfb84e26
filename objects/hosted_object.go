package objects

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
	"golang.org/x/sync/errgroup"
)

// Attributes is what is kept of an object beside its content.
type Attributes struct {
	ContentType, CacheControl, ContentDisposition, ContentEncoding, ContentLanguage string

	Metadata map[string]string // the client's, by lower-case name
	Checksum map[string]string // base64, by algorithm, as far as it was known when the content came
}

// Object is an object of a hosted bucket.
type Object struct {
	Attributes
	Key      string
	ETag     string // without quotes: MD5 in hex, or MD5 of MD5s and "-" and the number of parts
	Size     int64
	Modified time.Time
}

// Names in the storage's metadata; the client's own begin with clientPrefix.
const (
	etagName       = "etag"
	clientPrefix   = "client-"
	checksumPrefix = "checksum-"
)

func (a Attributes) options(etag string) *blob.WriterOptions {
	o := &blob.WriterOptions{
		ContentType: a.ContentType, CacheControl: a.CacheControl, ContentDisposition: a.ContentDisposition,
		ContentEncoding: a.ContentEncoding, ContentLanguage: a.ContentLanguage, Metadata: map[string]string{},
	}
	if o.ContentType == "" {
		o.ContentType = "binary/octet-stream"
	}
	for name, v := range a.Metadata {
		o.Metadata[clientPrefix+name] = v
	}
	for name, v := range a.Checksum {
		o.Metadata[checksumPrefix+name] = v
	}
	if etag != "" {
		o.Metadata[etagName] = etag
	}
	return o
}

func object(key string, b *blob.Attributes) Object {
	o := Object{Key: key, ETag: b.Metadata[etagName], Size: b.Size, Modified: b.ModTime, Attributes: Attributes{
		ContentType: b.ContentType, CacheControl: b.CacheControl, ContentDisposition: b.ContentDisposition,
		ContentEncoding: b.ContentEncoding, ContentLanguage: b.ContentLanguage,
		Metadata: map[string]string{}, Checksum: map[string]string{},
	}}
	for name, v := range b.Metadata {
		if rest, ok := strings.CutPrefix(name, clientPrefix); ok {
			o.Metadata[rest] = v
		}
		if rest, ok := strings.CutPrefix(name, checksumPrefix); ok {
			o.Checksum[rest] = v
		}
	}
	switch {
	case o.ETag != "":
	case len(b.MD5) > 0:
		o.ETag = hex.EncodeToString(b.MD5)
	default:
		o.ETag = strings.Trim(b.ETag, `"`)
	}
	return o
}

// Put stores an object of what body gives. If fresh, there must not be one yet. An error
// of body's leaves what was there.
func (h *Hosted) Put(ctx context.Context, account, bucket, key string, a Attributes, body io.Reader, fresh bool) (etag string, err error) {
	at, err := h.find(ctx, account, bucket, key)
	if err != nil {
		return "", err
	}
	body, settle, err := h.within(ctx, account, at, body)
	if err != nil {
		return "", err
	}
	defer func() { settle(err == nil) }()
	o := a.options("")
	o.IfNotExist = fresh
	return h.write(ctx, account, bucket, at, o, func(w io.Writer) error {
		_, err := io.Copy(w, body)
		return err
	})
}

// Stat returns what is known of an object.
func (h *Hosted) Stat(ctx context.Context, account, bucket, key string) (Object, error) {
	at, err := h.find(ctx, account, bucket, key)
	if err != nil {
		return Object{}, err
	}
	a, err := h.root.Attributes(ctx, at)
	if err != nil {
		return Object{}, missing(err)
	}
	return object(key, a), nil
}

// Range returns length bytes of an object from offset on; length -1 is all of them.
func (h *Hosted) Range(ctx context.Context, account, bucket, key string, offset, length int64) (io.ReadCloser, error) {
	at, err := h.find(ctx, account, bucket, key)
	if err != nil {
		return nil, err
	}
	r, err := h.root.NewRangeReader(ctx, at, offset, length, nil)
	if err != nil {
		return nil, missing(err)
	}
	return r, nil
}

// Remove deletes an object; one that is not there is no error.
func (h *Hosted) Remove(ctx context.Context, account, bucket, key string) error {
	at, err := h.find(ctx, account, bucket, key)
	if err != nil {
		return err
	}
	size := int64(0)
	if h.Quota > 0 {
		if size, err = h.size(ctx, at); err != nil {
			return err
		}
	}
	switch err := h.root.Delete(ctx, at); {
	case err == nil:
		h.changed(account, -size, 0)
	case !errors.Is(missing(err), ErrNoObject):
		return err
	}
	return nil
}

// Page is a part of a bucket's listing.
type Page struct {
	Objects  []Object
	Prefixes []string // keys cut after the delimiter
	Last     string   // key or prefix to go on after; "" at the end
}

// Objects lists the keys of a bucket that begin with prefix and follow after, in the order
// of their bytes, at most limit of keys and prefixes together. Drivers do not agree on
// an order, so each page reads all names below prefix.
func (h *Hosted) Objects(ctx context.Context, account, bucket, prefix, delimiter, after string, limit int) (Page, error) {
	if err := h.Head(ctx, account, bucket); err != nil {
		return Page{}, err
	}
	names, err := h.names(ctx, folder(account, bucket), prefix, delimiter)
	if err != nil {
		return Page{}, err
	}
	from, found := slices.BinarySearch(names, after)
	if found {
		from++
	}
	names = names[from:]
	var p Page
	if len(names) > limit {
		names = names[:limit]
		if limit > 0 {
			p.Last = names[limit-1]
		}
	}
	objects := make([]*Object, len(names))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for i, name := range names {
		if delimiter != "" && strings.Contains(name[len(prefix):], delimiter) {
			p.Prefixes = append(p.Prefixes, name)
			continue
		}
		g.Go(func() error {
			a, err := h.root.Attributes(gctx, folder(account, bucket)+name)
			if err == nil {
				o := object(name, a)
				objects[i] = &o
			}
			if errors.Is(missing(err), ErrNoObject) {
				return nil // deleted meanwhile
			}
			return err
		})
	}
	err = g.Wait()
	for _, o := range objects {
		if o != nil {
			p.Objects = append(p.Objects, *o)
		}
	}
	return p, err
}

// names returns the keys below prefix, cut after the delimiter, sorted.
func (h *Hosted) names(ctx context.Context, root, prefix, delimiter string) ([]string, error) {
	found := map[string]bool{}
	// One page, for the folder driver loses names between pages where its order differs
	// from the keys'. The library makes room for a page at once, 8 bytes a name.
	const whole = 1 << 20
	for token := blob.FirstPageToken; token != nil; {
		page, next, err := h.root.ListPage(ctx, token, whole, &blob.ListOptions{Prefix: root + prefix})
		if err != nil {
			return nil, err
		}
		for _, o := range page {
			if leftover(o) {
				continue
			}
			name := strings.TrimPrefix(o.Key, root)
			if delimiter != "" {
				if i := strings.Index(name[len(prefix):], delimiter); i >= 0 {
					name = name[:len(prefix)+i+len(delimiter)]
				}
			}
			found[name] = true
		}
		token = next
		if len(token) == 0 {
			break
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

var temporaryRE = regexp.MustCompile(`\.[0-9a-f]{16}\.tmp\z`)

// leftover reports whether o is a file of the folder driver's that is being written, or
// was when the program died. Objects have a hash beside them.
func leftover(o *blob.ListObject) bool { return len(o.MD5) == 0 && temporaryRE.MatchString(o.Key) }

// missing turns a driver's "not found" into ErrNoObject.
func missing(err error) error {
	if err != nil && (gcerrors.Code(err) == gcerrors.NotFound || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.ENAMETOOLONG)) {
		return ErrNoObject
	}
	return err
}

// inTheWay names the reasons for which a folder cannot hold a key that S3 could.
func inTheWay(err error) error {
	for _, e := range []error{syscall.ENOTDIR, syscall.EISDIR, syscall.EEXIST, syscall.ENAMETOOLONG} {
		if errors.Is(err, e) {
			return ErrInTheWay
		}
	}
	if err != nil && strings.Contains(err.Error(), ".attrs") {
		return ErrInTheWay
	}
	return err
}
