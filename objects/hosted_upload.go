package objects

import (
	"context"
	"crypto/md5" //nolint:gosec // S3's ETag of parts is an MD5 of MD5s by definition
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"gocloud.dev/blob"
)

// Limits of multipart uploads (Amazon S3, "Multipart upload limits").
const (
	MaxParts = 10_000
	MinPart  = 5 << 20 // bytes, of all but the last
	MaxPart  = 5 << 30 // bytes; of an object sent at once too
)

// Upload is a multipart upload under way.
type Upload struct {
	ID         string `json:"-"`
	Key        string
	Started    time.Time
	Attributes Attributes
}

// Part is a part of an upload.
type Part struct {
	Number   int
	ETag     string // MD5 in hex
	Size     int64
	Modified time.Time
	Checksum map[string]string // as Attributes.Checksum
}

func uploads(account, bucket, rest string) string {
	return account + "/uploads/" + bucket + "/" + rest
}

// partName sorts as the numbers do.
func partName(id string, n int) string { return fmt.Sprintf("%s/%05d", id, n) }

// Start begins an upload.
func (h *Hosted) Start(ctx context.Context, account, bucket, key string, a Attributes) (Upload, error) {
	if _, err := h.find(ctx, account, bucket, key); err != nil {
		return Upload{}, err
	}
	u := Upload{ID: uuid.NewString(), Key: key, Started: time.Now().UTC(), Attributes: a}
	data, err := json.Marshal(u)
	if err != nil {
		return Upload{}, err
	}
	return u, h.root.WriteAll(ctx, uploads(account, bucket, u.ID+"/upload"), data, nil)
}

// Upload returns an upload of key; of any key for "".
func (h *Hosted) Upload(ctx context.Context, account, bucket, key, id string) (Upload, error) {
	if err := h.Head(ctx, account, bucket); err != nil {
		return Upload{}, err
	}
	if uuid.Validate(id) != nil {
		return Upload{}, ErrNoUpload
	}
	data, err := h.root.ReadAll(ctx, uploads(account, bucket, id+"/upload"))
	if err != nil {
		if errors.Is(missing(err), ErrNoObject) {
			return Upload{}, ErrNoUpload
		}
		return Upload{}, err
	}
	u := Upload{}
	if err := json.Unmarshal(data, &u); err != nil {
		return Upload{}, fmt.Errorf("upload %s: %w", id, err)
	}
	u.ID = id
	if key != "" && u.Key != key {
		return Upload{}, ErrNoUpload
	}
	return u, nil
}

// PutPart stores a part, 1 to MaxParts; one of the same number is replaced.
func (h *Hosted) PutPart(ctx context.Context, account, bucket, key, id string, n int, a Attributes, body io.Reader) (etag string, err error) {
	if _, err := h.Upload(ctx, account, bucket, key, id); err != nil {
		return "", err
	}
	at := uploads(account, bucket, partName(id, n))
	body, settle, err := h.within(ctx, account, at, body)
	if err != nil {
		return "", err
	}
	defer func() { settle(err == nil) }()
	return h.write(ctx, account, bucket, at, a.options(""), func(w io.Writer) error {
		_, err := io.Copy(w, body)
		return err
	})
}

// Parts lists the parts of an upload that have come.
func (h *Hosted) Parts(ctx context.Context, account, bucket, key, id string) ([]Part, error) {
	if _, err := h.Upload(ctx, account, bucket, key, id); err != nil {
		return nil, err
	}
	names, err := h.names(ctx, uploads(account, bucket, id+"/"), "", "")
	if err != nil {
		return nil, err
	}
	var all []Part
	for _, name := range names {
		n, err := strconv.Atoi(name)
		if err != nil {
			continue // the upload itself
		}
		a, err := h.root.Attributes(ctx, uploads(account, bucket, partName(id, n)))
		if err != nil {
			return nil, err
		}
		o := object("", a)
		all = append(all, Part{Number: n, ETag: o.ETag, Size: o.Size, Modified: o.Modified, Checksum: o.Checksum})
	}
	return all, nil
}

// Uploads lists the uploads of a bucket by key and time.
func (h *Hosted) Uploads(ctx context.Context, account, bucket string) ([]Upload, error) {
	if err := h.Head(ctx, account, bucket); err != nil {
		return nil, err
	}
	names, err := h.names(ctx, uploads(account, bucket, ""), "", "")
	if err != nil {
		return nil, err
	}
	var all []Upload
	for _, name := range names {
		id, ok := strings.CutSuffix(name, "/upload")
		if !ok {
			continue
		}
		u, err := h.Upload(ctx, account, bucket, "", id)
		if err == nil {
			all = append(all, u)
		} else if !errors.Is(err, ErrNoUpload) {
			return nil, err
		}
	}
	slices.SortFunc(all, func(a, b Upload) int {
		if c := strings.Compare(a.Key, b.Key); c != 0 {
			return c
		}
		return a.Started.Compare(b.Started)
	})
	return all, nil
}

// Abort ends an upload and deletes its parts.
func (h *Hosted) Abort(ctx context.Context, account, bucket, key, id string) error {
	if _, err := h.Upload(ctx, account, bucket, key, id); err != nil {
		return err
	}
	defer h.uncounted(account)
	return h.deleteAll(ctx, uploads(account, bucket, path.Clean(id)+"/"))
}

// Complete makes an object of the parts that the client lists, by number and ETag, and
// ends the upload. watch sees the content as it is put together; verify is asked
// before the object appears.
func (h *Hosted) Complete(ctx context.Context, account, bucket, key, id string, listed []Part, watch io.Writer, verify func() error) (etag string, err error) {
	u, err := h.Upload(ctx, account, bucket, key, id)
	if err != nil {
		return "", err
	}
	have, err := h.Parts(ctx, account, bucket, key, id)
	if err != nil {
		return "", err
	}
	if etag, err = partsETag(have, listed); err != nil {
		return "", err
	}
	at := folder(account, bucket) + key
	_, err = h.write(ctx, account, bucket, at, u.Attributes.options(etag), func(w io.Writer) error {
		for _, p := range listed {
			if err := h.append(ctx, io.MultiWriter(w, watch), uploads(account, bucket, partName(id, p.Number))); err != nil {
				return err
			}
		}
		return verify()
	})
	if err != nil {
		return "", err
	}
	defer h.uncounted(account) // the parts were within the quota; so is what they make
	return etag, h.deleteAll(ctx, uploads(account, bucket, id+"/"))
}

func (h *Hosted) append(ctx context.Context, w io.Writer, at string) error {
	r, err := h.root.NewReader(ctx, at, &blob.ReaderOptions{})
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(w, r)
	return err
}

// partsETag checks what a client lists against what came and returns the object's ETag.
func partsETag(have, listed []Part) (string, error) {
	byNumber := map[int]Part{}
	for _, p := range have {
		byNumber[p.Number] = p
	}
	if len(listed) == 0 {
		return "", ErrPart
	}
	for i, p := range listed[1:] {
		if p.Number <= listed[i].Number {
			return "", ErrPartOrder
		}
	}
	sums := md5.New() //nolint:gosec // as above
	for i, p := range listed {
		got, ok := byNumber[p.Number]
		if !ok || got.ETag != strings.Trim(p.ETag, `"`) {
			return "", ErrPart
		}
		for algorithm, sum := range p.Checksum {
			if kept := got.Checksum[algorithm]; kept != "" && kept != sum {
				return "", ErrPart
			}
		}
		if i < len(listed)-1 && got.Size < MinPart {
			return "", ErrSmallPart
		}
		sum, err := hex.DecodeString(got.ETag)
		if err != nil {
			return "", ErrPart
		}
		_, _ = sums.Write(sum)
	}
	return fmt.Sprintf("%x-%d", sums.Sum(nil), len(listed)), nil
}
