package s3

import (
	"encoding/xml"
	"net/http"

	"trilobite/objects"
)

type owner struct{ ID string }

type bucketEntry struct {
	Name         string
	CreationDate string
}

type listBucketsResult struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListAllMyBucketsResult"`
	Owner   owner
	Buckets []bucketEntry `xml:"Buckets>Bucket"`
}

func listBuckets(s *Server, c *call) error {
	all, err := s.Buckets.List(c.Context(), c.account)
	if err != nil {
		return err
	}
	result := listBucketsResult{Owner: owner{c.account}}
	for _, b := range all {
		result.Buckets = append(result.Buckets, bucketEntry{b.Name, b.At.UTC().Format(timeFormat)})
	}
	return c.reply(result)
}

func createBucket(s *Server, c *call) error {
	if _, err := c.document(); err != nil { // a region, and every bucket is in all
		return err
	}
	if s.Taken != nil && s.Taken(c.bucket) {
		return wire("BucketAlreadyExists")
	}
	if err := s.Buckets.Create(c.Context(), c.account, c.bucket); err != nil {
		return err
	}
	c.w.Header().Set("Location", "/"+c.bucket)
	return nil
}

func headBucket(s *Server, c *call) error {
	if err := s.Buckets.Head(c.Context(), c.account, c.bucket); err != nil {
		return err
	}
	c.w.Header().Set("X-Amz-Bucket-Region", c.region)
	return nil
}

func deleteBucket(s *Server, c *call) error {
	if err := s.Buckets.Delete(c.Context(), c.account, c.bucket); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

type locationResult struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LocationConstraint"`
	Region  string   `xml:",chardata"`
}

func getBucketLocation(s *Server, c *call) error {
	if err := s.Buckets.Head(c.Context(), c.account, c.bucket); err != nil {
		return err
	}
	region := c.region
	if region == "us-east-1" {
		region = "" // as S3 spells it
	}
	return c.reply(locationResult{Region: region})
}

type versioningResult struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ VersioningConfiguration"`
}

func getBucketVersioning(s *Server, c *call) error {
	if err := s.Buckets.Head(c.Context(), c.account, c.bucket); err != nil {
		return err
	}
	return c.reply(versioningResult{}) // never switched on
}

type uploadEntry struct {
	Key       string
	UploadID  string `xml:"UploadId"`
	Initiated string
}

type listUploadsResult struct {
	XMLName     xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListMultipartUploadsResult"`
	Bucket      string
	MaxUploads  int
	IsTruncated bool
	Upload      []uploadEntry
}

func listMultipartUploads(s *Server, c *call) error {
	all, err := s.Buckets.Uploads(c.Context(), c.account, c.bucket)
	if err != nil {
		return err
	}
	result := listUploadsResult{Bucket: c.bucket, MaxUploads: max(len(all), maxKeys)}
	for _, u := range all {
		result.Upload = append(result.Upload, uploadEntry{u.Key, u.ID, u.Started.Format(timeFormat)})
	}
	return c.reply(result)
}

type deleteRequest struct {
	Quiet  bool
	Object []struct{ Key, VersionId string } //nolint:revive // S3's spelling
}

type deletedEntry struct{ Key string }

type deleteError struct {
	Key, Message string
	Code         wire
}

type deleteResult struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ DeleteResult"`
	Deleted []deletedEntry
	Error   []deleteError
}

func deleteObjects(s *Server, c *call) error {
	var request deleteRequest
	if err := c.decode(&request); err != nil {
		return err
	}
	if n := len(request.Object); n == 0 || n > maxKeys {
		return wire("MalformedXML")
	}
	if err := s.Buckets.Head(c.Context(), c.account, c.bucket); err != nil {
		return err
	}
	var result deleteResult
	for _, o := range request.Object {
		var err error = wire("NotImplemented")
		if o.VersionId == "" || o.VersionId == "null" {
			err = s.Buckets.Remove(c.Context(), c.account, c.bucket, o.Key)
		}
		switch {
		case err != nil:
			code, _ := codeOf(err)
			result.Error = append(result.Error, deleteError{Key: o.Key, Code: code, Message: answers()[code].text})
		case !request.Quiet:
			result.Deleted = append(result.Deleted, deletedEntry{o.Key})
		}
	}
	return c.reply(result)
}

func etag(o objects.Object) string { return `"` + o.ETag + `"` }
