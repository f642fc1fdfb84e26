package custom

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"trilobite"
)

// Kind is what an ARN names.
type Kind string

// The kinds.
const (
	ProjectKind Kind = "project"
	DatasetKind Kind = "dataset"
	VersionKind Kind = "version"
)

// ARN names a project, a data set or a version.
//
//	arn:aws:rekognition:eu-west-1:111122223333:project/shapes/1700000000123
//	arn:aws:rekognition:eu-west-1:111122223333:project/shapes/dataset/train/1700000000123
//	arn:aws:rekognition:eu-west-1:111122223333:project/shapes/version/v1/1700000000123
type ARN struct {
	Region, Account string
	Project         string // its name
	Kind            Kind
	Name            string // of a version; "train" or "test" of a data set; "" of a project
	Stamp           int64  // milliseconds since 1970 of the thing's creation
}

// String returns the ARN as it is written.
func (a ARN) String() string {
	s := "arn:aws:rekognition:" + a.Region + ":" + a.Account + ":project/" + a.Project
	if a.Kind != ProjectKind {
		s += "/" + string(a.Kind) + "/" + a.Name
	}
	return s + "/" + strconv.FormatInt(a.Stamp, 10)
}

// arnRE has the three patterns of the service model in one. Partitions other than aws
// are taken and not kept.
var arnRE = regexp.MustCompile(`\Aarn:[a-z\d-]+:rekognition:([a-z\d-]+):(\d{12}):project/([a-zA-Z0-9_.\-]{1,255})` +
	`(?:/(dataset)/(train|test)|/(version)/([a-zA-Z0-9_.\-]{1,255}))?/([0-9]{1,18})\z`)

// ParseARN reads an ARN of any kind.
func ParseARN(s string) (ARN, error) {
	m := arnRE.FindStringSubmatch(s)
	if m == nil {
		return ARN{}, &trilobite.Error{Op: "custom.ParseARN", Code: trilobite.NotFound, Msg: fmt.Sprintf("%.300q names no project, data set or version.", s)}
	}
	stamp, err := strconv.ParseInt(m[8], 10, 64)
	if err != nil {
		return ARN{}, err
	}
	a := ARN{Region: m[1], Account: m[2], Project: m[3], Kind: ProjectKind, Stamp: stamp}
	switch {
	case m[4] != "":
		a.Kind, a.Name = DatasetKind, m[5]
	case m[6] != "":
		a.Kind, a.Name = VersionKind, m[7]
	}
	return a, nil
}

// Of returns the ARN of a thing of a's project, made at the given time.
func (a ARN) Of(k Kind, name string, at time.Time) ARN {
	return ARN{Region: a.Region, Account: a.Account, Project: a.Project, Kind: k, Name: name, Stamp: at.UnixMilli()}
}
