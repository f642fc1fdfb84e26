package rekognition

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"

	"trilobite"
)

// imageProperties translates p, with at most n colours in each part. An image without a
// foreground has none in the answer either; the service sends a contrast of the whole
// image only.
func imageProperties(p *trilobite.Properties, n int) *types.DetectLabelsImageProperties {
	out := &types.DetectLabelsImageProperties{
		Quality: &types.DetectLabelsImageQuality{
			Brightness: aws.Float32(p.Quality.Brightness), Sharpness: aws.Float32(p.Quality.Sharpness), Contrast: aws.Float32(p.Quality.Contrast),
		},
		DominantColors: dominantColors(p.Colors, n),
	}
	if f := p.Foreground; f != nil {
		out.Foreground = &types.DetectLabelsImageForeground{
			Quality: partQuality(f.Quality), DominantColors: dominantColors(f.Colors, n),
		}
	}
	if b := p.Background; b != nil {
		out.Background = &types.DetectLabelsImageBackground{
			Quality: partQuality(b.Quality), DominantColors: dominantColors(b.Colors, n),
		}
	}
	return out
}

func partQuality(q trilobite.Quality) *types.DetectLabelsImageQuality {
	return &types.DetectLabelsImageQuality{
		Brightness: aws.Float32(q.Brightness), Sharpness: aws.Float32(q.Sharpness),
	}
}

// dominantColors translates the first n colours; none is [], not nil.
func dominantColors(colors []trilobite.Color, n int) []types.DominantColor {
	out := make([]types.DominantColor, 0, min(n, len(colors)))
	for _, c := range colors[:min(n, len(colors))] {
		out = append(out, types.DominantColor{
			Red: aws.Int32(int32(c.R)), Green: aws.Int32(int32(c.G)), Blue: aws.Int32(int32(c.B)),
			HexCode:  aws.String(fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B)),
			CSSColor: aws.String(c.CSS), SimplifiedColor: aws.String(c.Simplified),
			PixelPercent: percent(c.Fraction),
		})
	}
	return out
}
