package metric

import "testing"

func TestMultiLabelGolden(t *testing.T) {
	t.Parallel()
	g := readGolden(t)
	for _, name := range scenes(t, g, "_answers") {
		scores, target := numbers(t, g, name+"_answers"), bytesOf(t, g, name+"_target")
		n := int(g[name+"_answers"].Shape[1])
		m := NewMultiLabel(n)
		for i := 0; i < len(scores); i += n {
			var bears []int
			for c, is := range target[i : i+n] {
				if is != 0 {
					bears = append(bears, c)
				}
			}
			m.Add(scores[i:i+n], bears)
		}
		for c := range n {
			f := m.Of(c)
			for key, got := range map[string]float64{"_ap": f.AP, "_precision": f.Precision, "_recall": f.Recall, "_f1": f.F1} {
				near(t, name+key, got, numbers(t, g, name+key)[c])
			}
		}
		ap, f1 := m.Means()
		near(t, name+" mAP", ap, numbers(t, g, name+"_means")[0])
		near(t, name+" mean F1", f1, numbers(t, g, name+"_means")[1])
	}
}
