package s3

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"

	"trilobite"
	"trilobite/auth"
	"trilobite/objects"
)

// wire is an error by S3's code.
type wire string

// Error returns the code.
func (e wire) Error() string { return string(e) }

// reasons are the causes of errors and the codes that S3 has for them.
func reasons() []struct {
	cause error
	code  wire
} {
	return []struct {
		cause error
		code  wire
	}{
		{objects.ErrBucketName, "InvalidBucketName"},
		{objects.ErrNoBucket, "NoSuchBucket"},
		{objects.ErrBucketMade, "BucketAlreadyOwnedByYou"},
		{objects.ErrNotEmpty, "BucketNotEmpty"},
		{objects.ErrKey, "InvalidURI"},
		{objects.ErrNoObject, "NoSuchKey"},
		{objects.ErrExists, "PreconditionFailed"},
		{objects.ErrInTheWay, "OperationAborted"},
		{objects.ErrNoUpload, "NoSuchUpload"},
		{objects.ErrPart, "InvalidPart"},
		{objects.ErrPartOrder, "InvalidPartOrder"},
		{objects.ErrSmallPart, "EntityTooSmall"},
		{objects.ErrQuota, "QuotaExceeded"},
		{auth.MissingToken, "AccessDenied"},
		{auth.Expired, "AccessDenied"},
		{auth.Incomplete, "AuthorizationHeaderMalformed"},
		{auth.Unrecognized, "InvalidAccessKeyId"},
		{auth.InvalidSignature, "SignatureDoesNotMatch"},
		{auth.Skewed, "RequestTimeTooSkewed"},
		{auth.Digest, "XAmzContentSHA256Mismatch"},
		{io.ErrUnexpectedEOF, "IncompleteBody"},
		{context.DeadlineExceeded, "RequestTimeout"},
		{context.Canceled, "RequestTimeout"},
	}
}

// answers are the status and the sentence of each code (Amazon S3 API, "Error responses").
func answers() map[wire]struct {
	status int
	text   string
} {
	return map[wire]struct {
		status int
		text   string
	}{
		"AccessDenied":                 {http.StatusForbidden, "Access Denied"},
		"AuthorizationHeaderMalformed": {http.StatusBadRequest, "The authorization header that you provided is not valid."},
		"BadDigest":                    {http.StatusBadRequest, "The Content-MD5 or checksum value that you specified did not match what the server received."},
		"BucketAlreadyExists":          {http.StatusConflict, "The requested bucket name is not available: the configuration uses it."},
		"BucketAlreadyOwnedByYou":      {http.StatusConflict, "The bucket that you tried to create already exists, and you own it."},
		"BucketNotEmpty":               {http.StatusConflict, "The bucket you tried to delete is not empty."},
		"EntityTooLarge":               {http.StatusBadRequest, "Your proposed upload exceeds the maximum allowed size of 5 GiB."},
		"EntityTooSmall":               {http.StatusBadRequest, "A part other than the last is below 5 MiB."},
		"IncompleteBody":               {http.StatusBadRequest, "You did not provide the number of bytes specified by the Content-Length HTTP header."},
		"InternalError":                {http.StatusInternalServerError, "An internal error occurred. Try again."},
		"InvalidAccessKeyId":           {http.StatusForbidden, "The Access Key Id you provided does not exist in our records."},
		"InvalidArgument":              {http.StatusBadRequest, "Invalid argument."},
		"InvalidBucketName":            {http.StatusBadRequest, "The specified bucket is not valid."},
		"InvalidDigest":                {http.StatusBadRequest, "The Content-MD5 or checksum value that you specified is not valid."},
		"InvalidPart":                  {http.StatusBadRequest, "One or more of the specified parts could not be found, or their ETags or checksums are others."},
		"InvalidPartOrder":             {http.StatusBadRequest, "The list of parts was not in ascending order."},
		"InvalidRange":                 {http.StatusRequestedRangeNotSatisfiable, "The requested range is not satisfiable."},
		"InvalidRequest":               {http.StatusBadRequest, "The request is not valid."},
		"InvalidURI":                   {http.StatusBadRequest, "The key is longer than 1024 bytes, or has an empty start, a backslash, or a part . or .."},
		"KeyTooLongError":              {http.StatusBadRequest, "Your key is too long."},
		"MalformedXML":                 {http.StatusBadRequest, "The XML that you provided was not well formed or did not validate against our published schema."},
		"MaxMessageLengthExceeded":     {http.StatusBadRequest, "Your request was too large."},
		"MetadataTooLarge":             {http.StatusBadRequest, "Your metadata headers exceed the maximum allowed metadata size of 2 KB."},
		"MethodNotAllowed":             {http.StatusMethodNotAllowed, "The specified method is not allowed against this resource."},
		"MissingContentLength":         {http.StatusLengthRequired, "You must provide the Content-Length HTTP header."},
		"NoSuchBucket":                 {http.StatusNotFound, "The specified bucket does not exist."},
		"NoSuchKey":                    {http.StatusNotFound, "The specified key does not exist."},
		"NoSuchUpload":                 {http.StatusNotFound, "The specified multipart upload does not exist. The upload ID might be invalid, or it might have been aborted or completed."},
		"NotImplemented":               {http.StatusNotImplemented, "A header or query that you provided asks for what is not offered here."},
		"OperationAborted":             {http.StatusConflict, "The storage behind this bucket cannot hold this key: a folder and an object of one name, or a name that is too long or ends in .attrs."},
		"PreconditionFailed":           {http.StatusPreconditionFailed, "At least one of the preconditions you specified did not hold."},
		"QuotaExceeded":                {http.StatusForbidden, "The buckets of this account would hold more than its quota."}, // Ceph's code: Amazon has no such quota
		"RequestTimeTooSkewed":         {http.StatusForbidden, "The difference between the request time and the server's time is too large."},
		"RequestTimeout":               {http.StatusBadRequest, "Your socket connection to the server was not read from or written to within the timeout period."},
		"SignatureDoesNotMatch":        {http.StatusForbidden, "The request signature that the server calculated does not match the signature that you provided."},
		"SlowDown":                     {http.StatusServiceUnavailable, "Please reduce your request rate."},
		"XAmzContentSHA256Mismatch":    {http.StatusBadRequest, "The provided 'x-amz-content-sha256' header does not match what was computed."},
	}
}

// codeOf returns S3's code for an error, and a sentence of the error's own if it has one.
func codeOf(err error) (wire, string) {
	if code, ok := errors.AsType[wire](err); ok {
		return code, ""
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return "EntityTooLarge", ""
	}
	said := ""
	if e, ok := errors.AsType[*trilobite.Error](err); ok {
		said = e.Msg
	}
	for _, r := range reasons() {
		if errors.Is(err, r.cause) {
			return r.code, said
		}
	}
	switch trilobite.CodeOf(err) {
	case trilobite.Invalid:
		return "InvalidRequest", said
	case trilobite.Throttled, trilobite.LimitExceeded:
		return "SlowDown", said
	case trilobite.Forbidden, trilobite.Unauthorized:
		return "AccessDenied", said
	case trilobite.Canceled:
		return "RequestTimeout", said
	default:
		return "InternalError", ""
	}
}

type errorDocument struct {
	XMLName   xml.Name `xml:"Error"`
	Code      wire
	Message   string
	Resource  string
	RequestID string `xml:"RequestId"`
}

// WriteError writes an error as S3 does.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	code, text := codeOf(err)
	answer := answers()[code]
	if text == "" {
		text = answer.text
	}
	id := w.Header().Get("X-Request-Id")
	w.Header().Set("X-Amz-Request-Id", id)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(answer.status)
	if r.Method == http.MethodHead {
		return
	}
	data, _ := xml.Marshal(errorDocument{Code: code, Message: text, Resource: r.URL.Path, RequestID: id})
	_, _ = w.Write(append([]byte(xml.Header), data...)) // a failed write means that the client has gone
}

func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if code, _ := codeOf(err); code == "InternalError" {
		s.Log.ErrorContext(r.Context(), "s3", "request", w.Header().Get("X-Request-Id"), "error", err.Error())
	}
	WriteError(w, r, err)
}
