package acceptance

import (
	"slices"
	"testing"

	"cloud.google.com/go/vision/v2/apiv1/visionpb"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// TestPhoto asks every client what is on a photograph.
func TestPhoto(t *testing.T) {
	t.Parallel()
	url, photo, wanted := setting(t, "SERVER"), readFile(t, setting(t, "PHOTO")), setting(t, "LABEL")
	t.Run("aws-sdk-go-v2", func(t *testing.T) {
		t.Parallel()
		out, err := amazon(url, "any.any").DetectLabels(t.Context(), &rekognition.DetectLabelsInput{Image: &types.Image{Bytes: photo}})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(out.Labels, func(l types.Label) bool { return aws.ToString(l.Name) == wanted })
		if i < 0 {
			t.Fatalf("no %s among %d labels", wanted, len(out.Labels))
		}
		if l := out.Labels[i]; len(l.Instances) == 0 || l.Instances[0].BoundingBox == nil || len(l.Parents) == 0 {
			t.Errorf("%s has no box or no parents: %+v", wanted, l)
		}
	})
	for transport, client := range google(t, url) {
		t.Run("vision "+transport, func(t *testing.T) {
			t.Parallel()
			out, err := client.BatchAnnotateImages(t.Context(), &visionpb.BatchAnnotateImagesRequest{
				Requests: []*visionpb.AnnotateImageRequest{{
					Image: &visionpb.Image{Content: photo},
					Features: []*visionpb.Feature{
						{Type: visionpb.Feature_LABEL_DETECTION}, {Type: visionpb.Feature_OBJECT_LOCALIZATION},
						{Type: visionpb.Feature_IMAGE_PROPERTIES}, {Type: visionpb.Feature_CROP_HINTS},
					},
				}},
			})
			if err != nil {
				t.Fatal(err)
			}
			a := out.GetResponses()[0]
			if !slices.ContainsFunc(a.GetLabelAnnotations(), func(l *visionpb.EntityAnnotation) bool { return l.GetDescription() == wanted }) {
				t.Errorf("no label %s: %v", wanted, a.GetLabelAnnotations())
			}
			if !slices.ContainsFunc(a.GetLocalizedObjectAnnotations(), func(o *visionpb.LocalizedObjectAnnotation) bool { return o.GetName() == wanted }) {
				t.Errorf("no object %s: %v", wanted, a.GetLocalizedObjectAnnotations())
			}
			if len(a.GetImagePropertiesAnnotation().GetDominantColors().GetColors()) == 0 || len(a.GetCropHintsAnnotation().GetCropHints()) != 1 {
				t.Errorf("no colours or not one crop: %v, %v", a.GetImagePropertiesAnnotation(), a.GetCropHintsAnnotation())
			}
		})
	}
}
