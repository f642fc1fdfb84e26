package codec

import (
	"encoding/base64"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
)

// BenchmarkDecode reads a request with an image of 100 kB.
func BenchmarkDecode(b *testing.B) {
	body := []byte(`{"Image":{"Bytes":"` + base64.StdEncoding.EncodeToString(make([]byte, 100_000)) + `"},"MaxLabels":10}`)
	var c Codec
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Decode(body, new(rekognition.DetectLabelsInput)); err != nil {
			b.Fatal(err)
		}
	}
}
