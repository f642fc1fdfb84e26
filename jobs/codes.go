package jobs

// Code is an error of a whole manifest or data set, as the service names it.
type Code string

// The errors that end an import, an update or a training.
const (
	Inaccessible          Code = "ERROR_MANIFEST_INACCESSIBLE_OR_UNSUPPORTED_FORMAT"
	EmptyManifest         Code = "ERROR_EMPTY_MANIFEST"
	ManifestTooLarge      Code = "ERROR_MANIFEST_SIZE_TOO_LARGE"
	CannotWriteOutput     Code = "ERROR_CANNOT_WRITE_OUTPUT_S3_BUCKET"
	ManifestPermissions   Code = "ERROR_INVALID_PERMISSIONS_MANIFEST_S3_BUCKET"
	TooManyRows           Code = "ERROR_MANIFEST_ROWS_EXCEEDS_MAXIMUM"
	TooManyRecordsInError Code = "ERROR_TOO_MANY_RECORDS_IN_ERROR"
	TooManyInvalidRows    Code = "ERROR_TOO_MANY_INVALID_ROWS_IN_MANIFEST"
	SeveralBuckets        Code = "ERROR_IMAGES_IN_MULTIPLE_S3_BUCKETS"
	BucketOwner           Code = "ERROR_INVALID_IMAGES_S3_BUCKET_OWNER"
	TooFewForAutosplit    Code = "ERROR_INSUFFICIENT_IMAGES_PER_LABEL_FOR_AUTOSPLIT"
	TooFewForDistribute   Code = "ERROR_INSUFFICIENT_IMAGES_PER_LABEL_FOR_DISTRIBUTE"
	TooFewLabels          Code = "ERROR_MANIFEST_TOO_FEW_LABELS"
	TooManyLabels         Code = "ERROR_MANIFEST_TOO_MANY_LABELS"
	LabelOverlap          Code = "ERROR_INSUFFICIENT_LABEL_OVERLAP"
	TooFewUsableLabels    Code = "ERROR_MANIFEST_TOO_FEW_USABLE_LABELS"
	UsableLabelOverlap    Code = "ERROR_INSUFFICIENT_USABLE_LABEL_OVERLAP"
	ImagesCopy            Code = "ERROR_FAILED_IMAGES_S3_COPY"
)

// texts are the sentences of tm-terminal-errors-reference, tm-debugging-aggregate-errors
// and debugging-datasets-terminal-errors of the Custom Labels developer guide.
func texts() map[Code]string {
	return map[Code]string{
		Inaccessible:          "The manifest file extension or contents are invalid.",
		EmptyManifest:         "The manifest file is empty.",
		ManifestTooLarge:      "The manifest file size exceeds the maximum supported size.",
		CannotWriteOutput:     "Unable to write to output S3 bucket.",
		ManifestPermissions:   "The S3 bucket permissions are incorrect.",
		TooManyRows:           "The manifest file has too many rows.",
		TooManyRecordsInError: "The manifest file has too many terminal errors.",
		TooManyInvalidRows:    "The manifest file contains too many invalid rows.",
		SeveralBuckets:        "The manifest file contains images from multiple S3 buckets.",
		BucketOwner:           "Invalid owner id for images S3 bucket.",
		TooFewForAutosplit:    "The manifest file contains insufficient labeled images per label to perform auto-split.",
		TooFewForDistribute:   "The manifest file doesn't have enough labeled images to distribute the dataset.",
		TooFewLabels:          "The manifest file has too few labels.",
		TooManyLabels:         "The manifest file has too many labels.",
		LabelOverlap:          "Less than 50% label overlap between the training and testing manifest files.",
		TooFewUsableLabels:    "The manifest file has too few usable labels.",
		UsableLabelOverlap:    "Less than 50% usable label overlap between the training and testing manifest files.",
		ImagesCopy:            "Failed to copy images from S3 bucket.",
	}
}

// Text returns the service's sentence.
func (c Code) Text() string { return texts()[c] }

// Message is a status message: the code, for programs, and the sentence.
func (c Code) Message() string { return string(c) + ": " + c.Text() }

// Error returns the message.
func (c Code) Error() string { return c.Message() }
