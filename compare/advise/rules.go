package advise

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"trilobite/compare"
)

// rule is one thing that is looked at.
type rule struct {
	name string
	fire func(x candidate) Finding // of no effect: it does not apply
}

// rules are all of them, in the order in which they are told.
func rules() []rule {
	return []rule{
		{"privacy", privacy}, {"labels", labels}, {"accuracy", accuracy}, {"difference", difference}, {"latency", latency},
		{"budget", budget}, {"labelled images", labelled}, {"staff", staff}, {"evidence", evidence},
	}
}

// privacy: images may leave the machine or not.
func privacy(x candidate) Finding {
	switch {
	case x.q.Privacy != "local":
		return Finding{}
	case x.t.Local:
		return Finding{Effect: For, Weight: 1, EN: "No image leaves the machine.", JA: "画像は外に出ない。"}
	default:
		return Finding{Effect: Out, EN: "Images go to the vendor, and privacy is local.", JA: "画像が事業者に送られる（privacyはlocal）。",
			ChangeEN: "privacy: any", ChangeJA: "privacy: anyなら候補になる"}
	}
}

// labels: the classes that must be known.
func labels(x candidate) Finding {
	if x.m == nil {
		return Finding{}
	}
	wanted, _ := x.asked()
	var lacking []string
	for _, w := range wanted {
		if !slices.ContainsFunc(x.r.Dataset.Classes, func(c string) bool { return strings.EqualFold(c, w) }) {
			return Finding{Effect: Open, EN: "Whether it knows " + w + " cannot be told: no image of the data set shows it.", JA: w + "の画像がデータセットにないため、認識できるか判断できない。",
				ChangeEN: "labelled images of it in the data set", ChangeJA: "そのラベルの画像をデータセットに加える"}
		}
		if slices.ContainsFunc(x.m.Unmatched, func(u string) bool { return strings.EqualFold(u, w) }) {
			lacking = append(lacking, w)
		}
	}
	if len(lacking) == 0 {
		if len(wanted) == 1 {
			return Finding{Effect: For, Weight: 1, EN: "It has a word for " + wanted[0] + ".", JA: wanted[0] + "を認識する。"}
		}
		return Finding{Effect: For, Weight: 1, EN: fmt.Sprintf("It has a word for all %d labels.", len(wanted)), JA: fmt.Sprintf("%d個のラベルすべてを認識する。", len(wanted))}
	}
	verb := "It has no word for "
	if !x.t.Local { // nobody knows all that a vendor's model can say
		verb = "It never said "
	}
	return Finding{Effect: Out, EN: verb + few(lacking) + ".", JA: few(lacking) + "に対応するラベルがない。",
		ChangeEN: "labels without these, or a mapping file (--mapping) where it says them in other words", ChangeJA: "そのラベルが不要か、別の言い方を--mappingで対応づければ候補になる"}
}

// few lists some names.
func few(names []string) string {
	if len(names) > 5 {
		return strings.Join(names[:5], ", ") + fmt.Sprintf(" … (%d)", len(names))
	}
	return strings.Join(names, ", ")
}

// accuracy: the least main figure; of fewer labels than the data set has, the mean of their own,
// of which there is no interval.
func accuracy(x candidate) Finding {
	if x.q.Accuracy == nil || x.m == nil {
		return Finding{}
	}
	f, least := x.m.Main(), *x.q.Accuracy
	if _, some := x.asked(); some {
		name, of, v := x.ofAsked(x.m)
		if len(of) == 0 {
			return Finding{}
		}
		return x.reaches(name+" of "+few(of), few(of)+"の"+compare.FigureInJapanese(name), v)
	} else if f.Interval == nil {
		return x.reaches(f.Name, compare.FigureInJapanese(f.Name), float64(f.Value))
	}
	v, low, high := float64(f.Value), f.Interval.Low, f.Interval.High
	said := fmt.Sprintf("%s %.3f (%.3f–%.3f)", f.Name, v, low, high)
	saidJA := fmt.Sprintf("%s %.3f（%.3f–%.3f）", compare.FigureInJapanese(f.Name), v, low, high)
	change, changeJA := x.lower(v)
	switch {
	case high < least:
		return Finding{Effect: Out, EN: fmt.Sprintf("%s is surely below %.3f.", said, least), JA: fmt.Sprintf("%sは%.3fを確実に下回る。", saidJA, least), ChangeEN: change, ChangeJA: changeJA}
	case v < least:
		return Finding{Effect: Against, Weight: -2, EN: fmt.Sprintf("%s is below %.3f, perhaps by chance.", said, least), JA: fmt.Sprintf("%sは%.3fを下回る（偶然の可能性あり）。", saidJA, least), ChangeEN: change, ChangeJA: changeJA}
	case low < least:
		return Finding{Effect: For, Weight: 1, EN: fmt.Sprintf("%s reaches %.3f, though not surely.", said, least), JA: fmt.Sprintf("%sは%.3fに達する（確実ではない）。", saidJA, least)}
	default:
		return Finding{Effect: For, Weight: 2, EN: fmt.Sprintf("%s is surely %.3f or more.", said, least), JA: fmt.Sprintf("%sは確実に%.3f以上。", saidJA, least)}
	}
}

// reaches says whether a figure without an interval is as high as is asked.
func (x candidate) reaches(name, nameJA string, v float64) Finding {
	least := *x.q.Accuracy
	if v < least {
		change, changeJA := x.lower(v)
		return Finding{Effect: Against, Weight: -2, EN: fmt.Sprintf("%s %.3f is below %.3f.", name, v, least), JA: fmt.Sprintf("%s %.3fは%.3fを下回る。", nameJA, v, least), ChangeEN: change, ChangeJA: changeJA}
	}
	return Finding{Effect: For, Weight: 1, EN: fmt.Sprintf("%s %.3f reaches %.3f.", name, v, least), JA: fmt.Sprintf("%s %.3fは%.3fに達する。", nameJA, v, least)}
}

// lower says that less accuracy would do, or what might give more.
func (x candidate) lower(v float64) (en, ja string) {
	least := math.Floor(100*v) / 100
	more, moreJA := x.improve()
	return fmt.Sprintf("accuracy: %.2f, or %s", least, more), fmt.Sprintf("accuracy: %.2fまで下げるか、%s", least, moreJA)
}

// improve says what might make a route better.
func (x candidate) improve() (en, ja string) {
	if x.t.Kind == compare.Pretrained {
		return "labels or a mapping file (--mapping) that suit it better", "ラベルまたは--mappingの対応表を合わせる"
	}
	return "more labelled images or another recipe", "ラベル付き画像を増やすか学習法を変える"
}

// significant is the p-value below which a difference counts.
const significant = 0.05

// difference: a route that is surely better in this comparison, and is not ruled out. Over fewer labels
// than the data set has nothing was tested.
func difference(x candidate) Finding {
	if x.m == nil {
		return Finding{}
	}
	learn, learnJA := x.improve()
	for _, t := range x.r.Tests {
		better := ""
		if t.P < significant && t.A == x.t.Name && t.Difference < 0 {
			better = t.B
		} else if t.P < significant && t.B == x.t.Name && t.Difference > 0 {
			better = t.A
		}
		if better == "" || x.out[better] {
			continue
		}
		if _, some := x.asked(); some {
			return x.differenceOfAsked(better)
		}
		return Finding{
			Effect: Against, Weight: -2,
			EN:       fmt.Sprintf("%s is better in %s by %.3f (%s).", better, t.Figure, math.Abs(t.Difference), compare.PValue(t.P)),
			JA:       fmt.Sprintf("%sのほうが%sが%.3f高い（%s）。", better, compare.FigureInJapanese(t.Figure), math.Abs(t.Difference), compare.PValue(t.P)),
			ChangeEN: better + " ruled out by another requirement, or " + learn, ChangeJA: better + "が他の要件で外れるか、" + learnJA,
		}
	}
	return Finding{}
}

// differenceOfAsked puts two routes side by side over the labels that are asked for.
func (x candidate) differenceOfAsked(better string) Finding {
	i := slices.IndexFunc(x.r.Routes, func(m compare.Measured) bool { return m.Name == better })
	name, of, theirs := x.ofAsked(&x.r.Routes[i])
	_, _, here := x.ofAsked(x.m)
	if len(of) == 0 {
		return Finding{}
	}
	return Finding{
		Effect:   Open,
		EN:       fmt.Sprintf("Over all labels %s is surely better; of %s it comes to %s %.3f, this route to %.3f, which was not tested.", better, few(of), name, theirs, here),
		JA:       fmt.Sprintf("全ラベルでは%sのほうが確実に高い。%sのみでは%sが%.3f、この経路は%.3f（検定なし）。", better, few(of), compare.FigureInJapanese(name), theirs, here),
		ChangeEN: "a comparison on images of these labels alone", ChangeJA: "そのラベルの画像だけで比較する",
	}
}

// latency: what 95 of 100 images may take.
func latency(x candidate) Finding {
	if x.q.Latency == nil || x.m == nil {
		return Finding{}
	}
	p95 := x.m.Latency.P95 * 1000
	if p95 > *x.q.Latency {
		return Finding{Effect: Out, EN: fmt.Sprintf("95 of 100 images take up to %.0f ms, more than %.0f.", p95, *x.q.Latency), JA: fmt.Sprintf("95％点は%.0f msで、%.0f msを超える。", p95, *x.q.Latency),
			ChangeEN: fmt.Sprintf("latency: %.0f, or a faster machine", math.Ceil(p95)), ChangeJA: fmt.Sprintf("latency: %.0f、または速いマシン", math.Ceil(p95))}
	}
	return Finding{Effect: For, Weight: 1, EN: fmt.Sprintf("95 of 100 images take up to %.0f ms.", p95), JA: fmt.Sprintf("95％点は%.0f ms。", p95)}
}
