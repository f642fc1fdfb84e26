package s3

import (
	"net/http"
	"slices"
)

type handler func(*Server, *call) error

// operation is one of S3's: by method, by whether it is about the service, a bucket or an
// object, by the parameter of the query that chooses it, and by whether it copies.
type operation struct {
	name   string
	method string
	level  level
	query  string // "" if none
	copies bool
	handle handler
}

type level int

const (
	service level = iota
	bucket
	object
)

// operations are what there is.
func operations() []operation {
	return []operation{
		{"ListBuckets", http.MethodGet, service, "", false, listBuckets},
		{"CreateBucket", http.MethodPut, bucket, "", false, createBucket},
		{"HeadBucket", http.MethodHead, bucket, "", false, headBucket},
		{"DeleteBucket", http.MethodDelete, bucket, "", false, deleteBucket},
		{"GetBucketLocation", http.MethodGet, bucket, "location", false, getBucketLocation},
		{"GetBucketVersioning", http.MethodGet, bucket, "versioning", false, getBucketVersioning},
		{"ListObjects", http.MethodGet, bucket, "", false, listObjects},
		{"ListObjectsV2", http.MethodGet, bucket, "list-type", false, listObjects},
		{"ListMultipartUploads", http.MethodGet, bucket, "uploads", false, listMultipartUploads},
		{"DeleteObjects", http.MethodPost, bucket, "delete", false, deleteObjects},
		{"GetObject", http.MethodGet, object, "", false, getObject},
		{"HeadObject", http.MethodHead, object, "", false, getObject},
		{"PutObject", http.MethodPut, object, "", false, putObject},
		{"CopyObject", http.MethodPut, object, "", true, copyObject},
		{"DeleteObject", http.MethodDelete, object, "", false, deleteObject},
		{"CreateMultipartUpload", http.MethodPost, object, "uploads", false, createMultipartUpload},
		{"UploadPart", http.MethodPut, object, "uploadId", false, uploadPart},
		{"UploadPartCopy", http.MethodPut, object, "uploadId", true, uploadPartCopy},
		{"ListParts", http.MethodGet, object, "uploadId", false, listParts},
		{"CompleteMultipartUpload", http.MethodPost, object, "uploadId", false, completeMultipartUpload},
		{"AbortMultipartUpload", http.MethodDelete, object, "uploadId", false, abortMultipartUpload},
	}
}

// subresources are the parameters that make a request another operation (Amazon S3 API,
// "Operations"). One without an operation here must not be taken for none: PUT ?tagging is
// not PUT.
func subresources() []string {
	return []string{
		"abac", "accelerate", "acl", "analytics", "annotation", "attributes", "cors", "delete", "encryption", "intelligent-tiering", "inventory",
		"legal-hold", "lifecycle", "list-type", "location", "logging", "metadataConfiguration", "metadataInventoryTable", "metadataJournalTable",
		"metadataTable", "metrics", "notification", "object-lock", "ownershipControls", "policy", "policyStatus", "publicAccessBlock",
		"renameObject", "replication", "requestPayment", "restore", "retention", "select", "session", "tagging", "torrent", "uploadId",
		"uploads", "versionId", "versioning", "versions", "website",
	}
}

// find returns the operation that c asks for.
func find(c *call) (handler, error) {
	o, err := lookup(c.Request, c.bucket, c.key)
	return o.handle, err
}

func lookup(r *http.Request, bucketName, key string) (operation, error) {
	l := object
	switch {
	case bucketName == "":
		l = service
	case key == "":
		l = bucket
	}
	query, chosen := r.URL.Query(), ""
	for _, s := range subresources() {
		if !query.Has(s) || s == "versionId" && query.Get(s) == "null" {
			continue // "null" is the version of what has none
		}
		if chosen != "" {
			return operation{}, wire("NotImplemented")
		}
		chosen = s
	}
	copies := r.Header.Get("X-Amz-Copy-Source") != ""
	all := operations()
	i := slices.IndexFunc(all, func(o operation) bool {
		return o.method == r.Method && o.level == l && o.query == chosen && o.copies == copies
	})
	switch {
	case i >= 0:
		return all[i], nil
	case chosen != "":
		return operation{}, wire("NotImplemented")
	}
	return operation{}, wire("MethodNotAllowed")
}

// Operation names the call of r, for logs and metrics.
func (s *Server) Operation(r *http.Request) string {
	bucketName, key := s.address(r)
	o, err := lookup(r, bucketName, key)
	if err != nil {
		return "unknown"
	}
	return o.name
}
