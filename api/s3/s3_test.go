package s3_test

import (
	"bytes"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"trilobite/api/s3"
	"trilobite/auth"
	"trilobite/objects"
	"trilobite/store/sqlite"
)

const (
	us   = "111111111111"
	them = "222222222222"
)

// desk is a server over a folder, and keys of two accounts.
type desk struct {
	url     string
	buckets *objects.Hosted
	keys    map[string]aws.CredentialsProvider
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	dir := t.TempDir()
	hosted, err := objects.OpenHosted(t.Context(), "file://"+filepath.ToSlash(dir)+"/s3?create_dir=true&no_tmp_dir=true")
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(t.Context(), filepath.Join(dir, "trilobite.db"))
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := auth.NewSealer(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{buckets: hosted, keys: map[string]aws.CredentialsProvider{}}
	keys := &auth.Keys{Store: store, Sealer: sealer, Now: time.Now}
	for _, account := range []string{us, them} {
		k, secret, err := keys.Create(t.Context(), auth.NewKey{Account: account})
		if err != nil {
			t.Fatal(err)
		}
		d.keys[account] = credentials.NewStaticCredentialsProvider(k.ID, secret, "")
	}
	srv := httptest.NewServer(s3.New(s3.Config{
		Buckets: hosted, Auth: auth.New(auth.Config{Store: store, Sealer: sealer}), Hosts: []string{"localhost"},
		Taken: func(name string) bool { return name == "configured" },
	}))
	d.url = srv.URL
	t.Cleanup(func() {
		srv.Close()
		if err := errors.Join(hosted.Close(), store.Close()); err != nil {
			t.Error(err)
		}
	})
	return d
}

// client is the SDK's, as it comes.
func (d *desk) client(account string, options ...func(*awss3.Options)) *awss3.Client {
	return awss3.New(awss3.Options{
		BaseEndpoint: &d.url, Region: "eu-central-1", Credentials: d.keys[account], UsePathStyle: true, RetryMaxAttempts: 1,
	}, options...)
}

// bucketOf makes a bucket and returns a client of the account's.
func (d *desk) bucketOf(t *testing.T, account, name string) *awss3.Client {
	t.Helper()
	c := d.client(account)
	if _, err := c.CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	return c
}

func code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return fmt.Sprint(err)
}

func put(t *testing.T, c *awss3.Client, bucket, key, content string) *awss3.PutObjectOutput {
	t.Helper()
	out, err := c.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(content)})
	if err != nil {
		t.Fatalf("putting %q: %v", key, err)
	}
	return out
}

func get(t *testing.T, c *awss3.Client, bucket, key, span string) (string, *awss3.GetObjectOutput) {
	t.Helper()
	in := &awss3.GetObjectInput{Bucket: &bucket, Key: &key}
	if span != "" {
		in.Range = &span
	}
	out, err := c.GetObject(t.Context(), in)
	if err != nil {
		t.Fatalf("getting %q %s: %v", key, span, err)
	}
	defer out.Body.Close()
	data, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data), out
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	c := d.bucketOf(t, us, "photos")
	d.bucketOf(t, them, "photos") // theirs is another
	d.bucketOf(t, them, "secret")
	for name, want := range map[string]string{"photos": "BucketAlreadyOwnedByYou", "configured": "BucketAlreadyExists", "Ab": "InvalidBucketName", "a..b": "InvalidBucketName"} {
		if _, err := c.CreateBucket(ctx, &awss3.CreateBucketInput{Bucket: &name}); code(err) != want {
			t.Errorf("creating %q: %v, want %s", name, err, want)
		}
	}
	all, err := c.ListBuckets(ctx, nil)
	if err != nil || len(all.Buckets) != 1 || *all.Buckets[0].Name != "photos" {
		t.Errorf("buckets %+v, %v", all, err)
	}
	put(t, c, "photos", "a", "x")
	if _, err := c.DeleteBucket(ctx, &awss3.DeleteBucketInput{Bucket: aws.String("photos")}); code(err) != "BucketNotEmpty" {
		t.Errorf("deleting a full bucket: %v", err)
	}
	if _, err := d.client(them).GetObject(ctx, &awss3.GetObjectInput{Bucket: aws.String("photos"), Key: aws.String("a")}); code(err) != "NoSuchKey" {
		t.Errorf("another account's object: %v", err)
	}
	_, err = c.ListObjectsV2(ctx, &awss3.ListObjectsV2Input{Bucket: aws.String("secret")})
	if code(err) != "NoSuchBucket" {
		t.Errorf("another account's bucket: %v", err)
	}
	if _, err := c.DeleteObject(ctx, &awss3.DeleteObjectInput{Bucket: aws.String("photos"), Key: aws.String("a")}); err != nil {
		t.Error(err)
	}
	if _, err := c.DeleteBucket(ctx, &awss3.DeleteBucketInput{Bucket: aws.String("photos")}); err != nil {
		t.Error(err)
	}
	if _, err := c.HeadBucket(ctx, &awss3.HeadBucketInput{Bucket: aws.String("photos")}); code(err) != "NotFound" {
		t.Errorf("head of a bucket that is gone: %v", err)
	}
}

func TestObjects(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	c := d.bucketOf(t, us, "photos")
	const key = "a//b/été + 1%2F&.txt"
	out, err := c.PutObject(ctx, &awss3.PutObjectInput{
		Bucket: aws.String("photos"), Key: aws.String(key), Body: strings.NewReader("0123456789"),
		ContentType: aws.String("text/plain"), Metadata: map[string]string{"Who": "me"},
	})
	if want := fmt.Sprintf("%q", fmt.Sprintf("%x", md5.Sum([]byte("0123456789")))); err != nil || *out.ETag != want {
		t.Fatalf("put: %v, %v, want ETag %s", out, err, want)
	}
	for span, want := range map[string]string{
		"": "0123456789", "bytes=2-4": "234", "bytes=7-": "789", "bytes=-3": "789", "bytes=-99": "0123456789", "bytes=8-99": "89", "bytes=4-2": "0123456789",
	} {
		if got, _ := get(t, c, "photos", key, span); got != want {
			t.Errorf("range %q is %q, want %q", span, got, want)
		}
	}
	if _, err := c.GetObject(ctx, &awss3.GetObjectInput{Bucket: aws.String("photos"), Key: aws.String(key), Range: aws.String("bytes=10-")}); code(err) != "InvalidRange" {
		t.Errorf("range behind the end: %v", err)
	}
	head, err := c.HeadObject(ctx, &awss3.HeadObjectInput{Bucket: aws.String("photos"), Key: aws.String(key)})
	if err != nil || *head.ContentLength != 10 || *head.ContentType != "text/plain" || head.Metadata["who"] != "me" || *head.ETag != *out.ETag {
		t.Errorf("head %+v, %v", head, err)
	}
	if _, err := c.CopyObject(ctx, &awss3.CopyObjectInput{Bucket: aws.String("photos"), Key: aws.String("copy"), CopySource: aws.String("photos/a//b/%C3%A9t%C3%A9%20%2B%201%252F%26.txt")}); err != nil {
		t.Fatal(err)
	}
	if got, o := get(t, c, "photos", "copy", ""); got != "0123456789" || *o.ContentType != "text/plain" || o.Metadata["who"] != "me" {
		t.Errorf("copy is %q, %+v", got, o)
	}
	if _, err := c.PutObject(ctx, &awss3.PutObjectInput{Bucket: aws.String("photos"), Key: aws.String("copy"), Body: strings.NewReader("new"), IfNoneMatch: aws.String("*")}); code(err) != "PreconditionFailed" {
		t.Errorf("put over an object if there is none: %v", err)
	}
	del, err := c.DeleteObjects(ctx, &awss3.DeleteObjectsInput{Bucket: aws.String("photos"), Delete: &types.Delete{
		Objects: []types.ObjectIdentifier{{Key: aws.String(key)}, {Key: aws.String("copy")}, {Key: aws.String("none")}},
	}})
	if err != nil || len(del.Deleted) != 3 {
		t.Errorf("deleted %+v, %v", del, err)
	}
	if _, err := c.GetObject(ctx, &awss3.GetObjectInput{Bucket: aws.String("photos"), Key: aws.String("copy")}); code(err) != "NoSuchKey" {
		t.Errorf("deleted object: %v", err)
	}
	for _, bad := range []string{"../../../../trilobite.db", "a/../../b", `..\b`, "./a", strings.Repeat("x", 1025)} {
		if _, err := c.PutObject(ctx, &awss3.PutObjectInput{Bucket: aws.String("photos"), Key: &bad, Body: strings.NewReader("")}); err == nil {
			t.Errorf("key %.30q is taken", bad)
		}
	}
	if _, err := c.PutObjectTagging(ctx, &awss3.PutObjectTaggingInput{Bucket: aws.String("photos"), Key: aws.String("a"), Tagging: &types.Tagging{TagSet: []types.Tag{}}}); code(err) != "NotImplemented" {
		t.Errorf("tagging: %v", err)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	c := newDesk(t).bucketOf(t, us, "photos")
	want := []string{"a-b", "a/x", "a/y z", "b", "c/d/e"} // in the order of bytes, which a folder's is not
	for _, name := range slices.Backward(want) {
		put(t, c, "photos", name, name)
	}
	var got []string
	pages := awss3.NewListObjectsV2Paginator(c, &awss3.ListObjectsV2Input{Bucket: aws.String("photos"), MaxKeys: aws.Int32(2)})
	for pages.HasMorePages() {
		p, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range p.Contents {
			got = append(got, *o.Key)
			if *o.ETag != fmt.Sprintf("%q", fmt.Sprintf("%x", md5.Sum([]byte(*o.Key)))) || *o.Size != int64(len(*o.Key)) {
				t.Errorf("%+v", o)
			}
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("listed %q, want %q", got, want)
	}
	p, err := c.ListObjectsV2(t.Context(), &awss3.ListObjectsV2Input{Bucket: aws.String("photos"), Delimiter: aws.String("/"), StartAfter: aws.String("a-b"), EncodingType: types.EncodingTypeUrl})
	if err != nil || len(p.Contents) != 1 || *p.Contents[0].Key != "b" || len(p.CommonPrefixes) != 2 || *p.CommonPrefixes[1].Prefix != "c/" || *p.KeyCount != 3 {
		t.Errorf("%+v, %v", p, err)
	}
	old, err := c.ListObjects(t.Context(), &awss3.ListObjectsInput{Bucket: aws.String("photos"), Prefix: aws.String("a/"), MaxKeys: aws.Int32(1)})
	if err != nil || len(old.Contents) != 1 || !*old.IsTruncated || *old.NextMarker != "a/x" {
		t.Errorf("%+v, %v", old, err)
	}
}

func TestMultipart(t *testing.T) {
	t.Parallel()
	c := newDesk(t).bucketOf(t, us, "photos")
	ctx := t.Context()
	parts := []string{strings.Repeat("a", objects.MinPart), strings.Repeat("b", 7)}
	begin := func() *awss3.CreateMultipartUploadOutput {
		u, err := c.CreateMultipartUpload(ctx, &awss3.CreateMultipartUploadInput{Bucket: aws.String("photos"), Key: aws.String("big"), ContentType: aws.String("image/jpeg"), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32})
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	send := func(id *string, n int32, content string) types.CompletedPart {
		p, err := c.UploadPart(ctx, &awss3.UploadPartInput{Bucket: aws.String("photos"), Key: aws.String("big"), UploadId: id, PartNumber: &n, Body: strings.NewReader(content), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32})
		if err != nil {
			t.Fatal(err)
		}
		return types.CompletedPart{ETag: p.ETag, PartNumber: &n, ChecksumCRC32: p.ChecksumCRC32}
	}
	complete := func(id *string, parts ...types.CompletedPart) (*awss3.CompleteMultipartUploadOutput, error) {
		return c.CompleteMultipartUpload(ctx, &awss3.CompleteMultipartUploadInput{Bucket: aws.String("photos"), Key: aws.String("big"), UploadId: id, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
	}
	u := begin()
	second, first := send(u.UploadId, 2, parts[1]), send(u.UploadId, 1, parts[0])
	small := send(u.UploadId, 3, "small")
	other := small
	other.ChecksumCRC32 = second.ChecksumCRC32
	for name, tt := range map[string]struct {
		parts []types.CompletedPart
		want  string
	}{
		"not ascending":      {[]types.CompletedPart{second, first}, "InvalidPartOrder"},
		"too small":          {[]types.CompletedPart{second, small}, "EntityTooSmall"},
		"not there":          {[]types.CompletedPart{{ETag: first.ETag, PartNumber: aws.Int32(9)}}, "InvalidPart"},
		"another checksum":   {[]types.CompletedPart{first, other}, "InvalidPart"},
		"another part's tag": {[]types.CompletedPart{first, {ETag: first.ETag, PartNumber: aws.Int32(2)}}, "InvalidPart"},
	} {
		if _, err := complete(u.UploadId, tt.parts...); code(err) != tt.want {
			t.Errorf("parts %s: %v, want %s", name, err, tt.want)
		}
	}
	listed, err := c.ListParts(ctx, &awss3.ListPartsInput{Bucket: aws.String("photos"), Key: aws.String("big"), UploadId: u.UploadId})
	if err != nil || len(listed.Parts) != 3 || *listed.Parts[1].ETag != *second.ETag {
		t.Errorf("parts %+v, %v", listed, err)
	}
	done, err := complete(u.UploadId, first, second)
	if err != nil {
		t.Fatal(err)
	}
	a, b := md5.Sum([]byte(parts[0])), md5.Sum([]byte(parts[1]))
	if want := fmt.Sprintf("%q", fmt.Sprintf("%x-2", md5.Sum(append(a[:], b[:]...)))); *done.ETag != want {
		t.Errorf("ETag %s, want %s", *done.ETag, want)
	}
	got, o := get(t, c, "photos", "big", "")
	if got != parts[0]+parts[1] || *o.ETag != *done.ETag || *o.ContentType != "image/jpeg" {
		t.Errorf("%d bytes, %+v", len(got), o)
	}
	if _, err := complete(u.UploadId, first); code(err) != "NoSuchUpload" {
		t.Errorf("completed twice: %v", err)
	}
	u = begin()
	if _, err := c.AbortMultipartUpload(ctx, &awss3.AbortMultipartUploadInput{Bucket: aws.String("photos"), Key: aws.String("big"), UploadId: u.UploadId}); err != nil {
		t.Error(err)
	}
	if all, err := c.ListMultipartUploads(ctx, &awss3.ListMultipartUploadsInput{Bucket: aws.String("photos")}); err != nil || len(all.Uploads) != 0 {
		t.Errorf("uploads %+v, %v", all, err)
	}
}

func TestChecksums(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	c := d.bucketOf(t, us, "photos")
	right := map[string]string{ // of "123456789", from the algorithms' published check values
		"CRC32": "y/Q5Jg==", "CRC32C": "4waSgw==", "CRC64NVME": "rosUhgp5mIg=", "SHA1": "98O8HYCOBHMq32eZZczDTKeuNEE=", "SHA256": "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
	}
	for name, sum := range right {
		for _, mode := range []string{"before", "behind, unsigned"} {
			in := &awss3.PutObjectInput{Bucket: aws.String("photos"), Key: aws.String(name), Body: strings.NewReader("123456789"), ChecksumAlgorithm: types.ChecksumAlgorithm(name)}
			var options []func(*awss3.Options)
			if mode != "before" {
				options = append(options, awss3.WithAPIOptions(v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware))
			}
			out, err := c.PutObject(t.Context(), in, options...)
			if err != nil {
				t.Errorf("%s %s: %v", name, mode, err)
				continue
			}
			got := map[string]*string{"CRC32": out.ChecksumCRC32, "CRC32C": out.ChecksumCRC32C, "CRC64NVME": out.ChecksumCRC64NVME, "SHA1": out.ChecksumSHA1, "SHA256": out.ChecksumSHA256}[name]
			if got == nil || *got != sum {
				t.Errorf("%s %s: %v, want %s", name, mode, got, sum)
			}
		}
	}
	_, err := c.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: aws.String("photos"), Key: aws.String("CRC32"), Body: strings.NewReader("other"), ChecksumCRC32: aws.String(right["CRC32"])})
	if code(err) != "BadDigest" {
		t.Errorf("wrong checksum: %v", err)
	}
	if got, _ := get(t, c, "photos", "CRC32", ""); got != "123456789" {
		t.Errorf("a refused body was stored: %q", got)
	}
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	c := d.bucketOf(t, us, "photos")
	ctx := t.Context()
	ours, _ := d.keys[us].Retrieve(ctx)
	for name, tt := range map[string]struct {
		id, secret, want string
	}{
		"wrong secret": {ours.AccessKeyID, "no", "SignatureDoesNotMatch"},
		"no such key":  {"AKIDNOBODY", "no", "InvalidAccessKeyId"},
	} {
		_, err := d.client(us, func(o *awss3.Options) { o.Credentials = credentials.NewStaticCredentialsProvider(tt.id, tt.secret, "") }).ListBuckets(ctx, nil)
		if code(err) != tt.want {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
	do := func(method, url, body string) (int, string) {
		r, _ := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		data, _ := io.ReadAll(answer.Body)
		return answer.StatusCode, string(data)
	}
	presign := awss3.NewPresignClient(c)
	in, err := presign.PresignPutObject(ctx, &awss3.PutObjectInput{Bucket: aws.String("photos"), Key: aws.String("a b/c")})
	if err != nil {
		t.Fatal(err)
	}
	if status, body := do(http.MethodPut, in.URL, "hello"); status != http.StatusOK {
		t.Errorf("presigned put: %d %s", status, body)
	}
	out, _ := presign.PresignGetObject(ctx, &awss3.GetObjectInput{Bucket: aws.String("photos"), Key: aws.String("a b/c")})
	if status, body := do(http.MethodGet, out.URL, ""); status != http.StatusOK || body != "hello" {
		t.Errorf("presigned get: %d %s", status, body)
	}
	if status, body := do(http.MethodGet, strings.Replace(out.URL, "/c?", "/d?", 1), ""); status != http.StatusForbidden || !strings.Contains(body, "SignatureDoesNotMatch") {
		t.Errorf("presigned for another key: %d %s", status, body)
	}
	if status, _ := do(http.MethodPut, out.URL, "x"); status != http.StatusForbidden {
		t.Errorf("presigned get used to put: %d", status)
	}
	late := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, d.url+"/photos/a%20b/c?X-Amz-Expires=60", nil)
	old, _, err := late.PresignHTTP(ctx, ours, r, "UNSIGNED-PAYLOAD", "s3", "eu-central-1", time.Now().Add(-2*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if status, body := do(http.MethodGet, old, ""); status != http.StatusForbidden || !strings.Contains(body, "Request has expired") {
		t.Errorf("expired: %d %s", status, body)
	}
}
