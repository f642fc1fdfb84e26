package groundtruth

import "strings"

// Code is an error of a line, as the service names it.
type Code string

// The errors of lines.
const (
	TooLong                Code = "ERROR_LINE_TOO_LONG" // not the service's: it drops such lines without a word
	InvalidJSONLine        Code = "ERROR_INVALID_JSON_LINE"
	MissingSourceRef       Code = "ERROR_MISSING_SOURCE_REF"
	InvalidSourceRef       Code = "ERROR_INVALID_SOURCE_REF_FORMAT"
	NoLabelAttributes      Code = "ERROR_NO_LABEL_ATTRIBUTES"
	InvalidLabelAttribute  Code = "ERROR_INVALID_LABEL_ATTRIBUTE_FORMAT"
	InvalidMetadata        Code = "ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT"
	NoValidLabelAttributes Code = "ERROR_NO_VALID_LABEL_ATTRIBUTES"
	InvalidLabelName       Code = "ERROR_INVALID_LABEL_NAME_LENGTH"
	MissingConfidence      Code = "ERROR_MISSING_BOUNDING_BOX_CONFIDENCE"
	MissingClass           Code = "ERROR_MISSING_CLASS_MAP_ID"
	InvalidImage           Code = "ERROR_INVALID_IMAGE"
	InvalidBox             Code = "ERROR_INVALID_BOUNDING_BOX"
	BoxTooSmall            Code = "ERROR_BOUNDING_BOX_TOO_SMALL"
	TooManyBoxes           Code = "ERROR_TOO_MANY_BOUNDING_BOXES"
	NoValidAnnotations     Code = "ERROR_NO_VALID_ANNOTATIONS"
)

// Error returns the service's sentence.
func (c Code) Error() string { return c.text("") }

// text returns the sentence about the named attribute.
func (c Code) text(about string) string {
	return strings.ReplaceAll(texts()[c], "{}", about)
}

func texts() map[Code]string {
	return map[Code]string{
		TooLong:                "The JSON Line is longer than 100,000 characters.",
		InvalidJSONLine:        "The JSON Line has an invalid format.",
		MissingSourceRef:       "The source-ref key is missing.",
		InvalidSourceRef:       "The format of the source-ref value is invalid.",
		NoLabelAttributes:      "No label attributes found.",
		InvalidLabelAttribute:  "The format of the label attribute {} is invalid.",
		InvalidMetadata:        "The format of the label attribute metadata is invalid.",
		NoValidLabelAttributes: "No valid label attributes found.",
		InvalidLabelName:       "The length of the label name is invalid.",
		MissingConfidence:      "One or more bounding boxes has a missing confidence value.",
		MissingClass:           "One of more class ids is missing from the class map.", // sic
		InvalidImage:           "The image is invalid. Check S3 path and/or image properties.",
		InvalidBox:             "The bounding box has off frame values.",
		BoxTooSmall:            "The height and width of the bounding box is too small.",
		TooManyBoxes:           "There are more bounding boxes than the allowed maximum.",
		NoValidAnnotations:     "No valid annotations found.",
	}
}
