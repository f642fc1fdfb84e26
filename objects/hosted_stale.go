package objects

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"gocloud.dev/blob"
)

// Stale is an upload that was begun and neither completed nor given up.
type Stale struct {
	Account, Bucket, ID string
	Bytes               int64
}

// StaleUploads lists the uploads of every account that were begun before a time.
func (h *Hosted) StaleUploads(ctx context.Context, before time.Time) ([]Stale, error) {
	var all []Stale
	for it := h.root.List(&blob.ListOptions{Delimiter: "/"}); ; {
		account, err := it.Next(ctx)
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		case !account.IsDir:
			continue
		}
		some, err := h.staleOf(ctx, strings.TrimSuffix(account.Key, "/"), before)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
}

// staleOf reads ACCOUNT/uploads/BUCKET/ID/… in the order of the names: parts, then "upload".
func (h *Hosted) staleOf(ctx context.Context, account string, before time.Time) ([]Stale, error) {
	var all []Stale
	sizes, at := map[string]int64{}, []string{}
	for it := h.root.List(&blob.ListOptions{Prefix: account + "/uploads/"}); ; {
		o, err := it.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		place := o.Key[:strings.LastIndex(o.Key, "/")+1]
		if sizes[place] += o.Size; strings.HasSuffix(o.Key, "/upload") {
			at = append(at, place)
		}
	}
	for _, place := range at {
		data, err := h.root.ReadAll(ctx, place+"upload")
		if missing(err) == ErrNoObject { //nolint:errorlint // missing returns it as it is
			continue // completed meanwhile
		} else if err != nil {
			return nil, err
		}
		var u Upload
		if err := json.Unmarshal(data, &u); err != nil {
			return nil, err
		}
		bucket, id, ok := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(place, account+"/uploads/"), "/"), "/")
		if ok && u.Started.Before(before) {
			all = append(all, Stale{account, bucket, id, sizes[place]})
		}
	}
	return all, nil
}

// AbortStale gives up an upload that StaleUploads listed.
func (h *Hosted) AbortStale(ctx context.Context, s Stale) error {
	defer h.uncounted(s.Account)
	return h.deleteAll(ctx, uploads(s.Account, s.Bucket, s.ID+"/"))
}

// Temporary reports whether a path is a file that the folder driver was writing, rather
// than an object.
func Temporary(path string) bool { return temporaryRE.MatchString(path) }
