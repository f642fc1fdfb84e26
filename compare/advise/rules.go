package advise

import (
	"fmt"
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
	wanted := x.q.Labels
	if len(wanted) == 0 {
		wanted = slices.DeleteFunc(slices.Clone(x.r.Dataset.Classes), func(c string) bool { return c == "" })
	}
	if x.m == nil {
		return Finding{}
	}
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

// accuracy: the least main figure.
func accuracy(x candidate) Finding {
	if x.q.Accuracy == nil || x.m == nil {
		return Finding{}
	}
	f, least := x.m.Main(), *x.q.Accuracy
	v, low, high := float64(f.Value), float64(f.Value), float64(f.Value)
	if f.Interval != nil {
		low, high = f.Interval.Low, f.Interval.High
	}
	said := fmt.Sprintf("%s %.3f (%.3f–%.3f)", f.Name, v, low, high)
	change := fmt.Sprintf("accuracy: %.2f, or more labelled images", v)
	changeJA := fmt.Sprintf("accuracy: %.2fまで下げるか、ラベル付き画像を増やす", v)
	switch {
	case high < least:
		return Finding{Effect: Out, EN: fmt.Sprintf("%s is surely below %.3f.", said, least), JA: fmt.Sprintf("%sは%.3fを確実に下回る。", said, least), ChangeEN: change, ChangeJA: changeJA}
	case v < least:
		return Finding{Effect: Against, Weight: -2, EN: fmt.Sprintf("%s is below %.3f, perhaps by chance.", said, least), JA: fmt.Sprintf("%sは%.3fを下回る（偶然の可能性あり）。", said, least), ChangeEN: change, ChangeJA: changeJA}
	case low < least:
		return Finding{Effect: For, Weight: 1, EN: fmt.Sprintf("%s reaches %.3f, though not surely.", said, least), JA: fmt.Sprintf("%sは%.3fに達する（確実ではない）。", said, least)}
	default:
		return Finding{Effect: For, Weight: 2, EN: fmt.Sprintf("%s is surely %.3f or more.", said, least), JA: fmt.Sprintf("%sは確実に%.3f以上。", said, least)}
	}
}

// significant is the p-value below which a difference counts.
const significant = 0.05

// difference: a route that is surely better in this comparison.
func difference(x candidate) Finding {
	if x.m == nil {
		return Finding{}
	}
	for _, t := range x.r.Tests {
		better := ""
		if t.P < significant && t.A == x.t.Name && t.Difference < 0 {
			better = t.B
		} else if t.P < significant && t.B == x.t.Name && t.Difference > 0 {
			better = t.A
		}
		if better != "" {
			return Finding{Effect: Against, Weight: -2,
				EN:       fmt.Sprintf("%s is better in %s by %.3f (%s).", better, t.Figure, max(t.Difference, -t.Difference), pValue(t.P)),
				JA:       fmt.Sprintf("%sのほうが%sが%.3f高い（%s）。", better, t.Figure, max(t.Difference, -t.Difference), pValue(t.P)),
				ChangeEN: "a data set on which they do not differ", ChangeJA: "差のないデータであれば変わる"}
		}
	}
	return Finding{}
}

func pValue(p float64) string {
	if p < 0.0001 {
		return "p < 0.0001"
	}
	return fmt.Sprintf("p = %.4f", p)
}

// latency: what 95 of 100 images may take.
func latency(x candidate) Finding {
	if x.q.Latency == nil || x.m == nil {
		return Finding{}
	}
	p95 := x.m.Latency.P95 * 1000
	if p95 > *x.q.Latency {
		return Finding{Effect: Out, EN: fmt.Sprintf("95 of 100 images take up to %.0f ms, more than %.0f.", p95, *x.q.Latency), JA: fmt.Sprintf("95％点は%.0f msで、%.0f msを超える。", p95, *x.q.Latency),
			ChangeEN: fmt.Sprintf("latency: %.0f, or a faster machine", p95), ChangeJA: fmt.Sprintf("latency: %.0f、または速いマシン", p95)}
	}
	return Finding{Effect: For, Weight: 1, EN: fmt.Sprintf("95 of 100 images take up to %.0f ms.", p95), JA: fmt.Sprintf("95％点は%.0f ms。", p95)}
}

// budget: dollars a month at the required volume.
func budget(x candidate) Finding {
	if x.q.Budget == nil {
		return Finding{}
	}
	without := make([]string, len(x.at.Without))
	for i, w := range x.at.Without {
		without[i] = string(w)
	}
	rest := strings.Join(without, ", ")
	switch {
	case !x.at.Empty() && x.at.USD > *x.q.Budget && !x.at.AtMost:
		return Finding{Effect: Out, EN: fmt.Sprintf("%.0f images cost $%.2f a month, more than $%.2f.", x.at.Images, x.at.USD, *x.q.Budget), JA: fmt.Sprintf("月%.0f枚で$%.2f。予算$%.2fを超える。", x.at.Images, x.at.USD, *x.q.Budget),
			ChangeEN: fmt.Sprintf("budget: %.0f", x.at.USD+0.5), ChangeJA: fmt.Sprintf("budget: %.0f", x.at.USD+0.5)}
	case !x.at.Empty() && x.at.USD > *x.q.Budget: // a bound: cheaper tiers follow somewhere
		return Finding{Effect: Open, EN: fmt.Sprintf("%.0f images cost up to $%.2f a month; whether that is $%.2f or less cannot be told.", x.at.Images, x.at.USD, *x.q.Budget), JA: fmt.Sprintf("月%.0f枚で最大$%.2f。予算$%.2fに収まるか判断できない。", x.at.Images, x.at.USD, *x.q.Budget),
			ChangeEN: "the vendor's lower tiers in a price book (--prices)", ChangeJA: "--pricesで安い段階の料金を指定する"}
	case rest != "":
		return Finding{Effect: Open, EN: fmt.Sprintf("Whether it fits the budget cannot be told: what %s cost is unknown.", rest), JA: "不明な費目（" + rest + "）があり、予算に収まるか判断できない。",
			ChangeEN: "say these costs: --machine-price, --labour-price, --labelling-seconds, --operation-hours", ChangeJA: "--machine-priceなどで費用を指定する"}
	default:
		return Finding{Effect: For, Weight: 1, EN: fmt.Sprintf("%.0f images cost $%.2f a month.", x.at.Images, x.at.USD), JA: fmt.Sprintf("月%.0f枚で$%.2f。", x.at.Images, x.at.USD)}
	}
}

// labelled: how many labelled images there are.
func labelled(x candidate) Finding {
	if x.q.Labelled == nil {
		return Finding{}
	}
	have := *x.q.Labelled
	if x.t.Kind == compare.Pretrained {
		return Finding{Effect: For, Weight: 1, EN: "It needs no labelled image.", JA: "ラベル付き画像は不要。"}
	}
	if have == 0 {
		return Finding{Effect: Out, EN: "It learns from labelled images, and there are none.", JA: "学習にラベル付き画像が必要だが、1枚もない。", ChangeEN: "labelled: some dozens of images", ChangeJA: "数十枚のラベル付き画像があれば変わる"}
	}
	if x.m == nil || len(x.m.Curve) == 0 {
		return Finding{}
	}
	reached := x.m.Curve[0]
	for _, p := range x.m.Curve {
		if p.Images <= have {
			reached = p
		}
	}
	last := x.m.Curve[len(x.m.Curve)-1]
	if reached.Images > have || float64(reached.Main.Value) < 0.95*float64(last.Main.Value) {
		return Finding{Effect: Against, Weight: -1,
			EN:       fmt.Sprintf("%d labelled images are few: from %d it came to %s %.3f, from %d to %.3f.", have, reached.Images, last.Main.Name, float64(reached.Main.Value), last.Images, float64(last.Main.Value)),
			JA:       fmt.Sprintf("%d枚では少ない：%d枚で%.3f、%d枚で%.3f。", have, reached.Images, float64(reached.Main.Value), last.Images, float64(last.Main.Value)),
			ChangeEN: fmt.Sprintf("labelled: %d", last.Images), ChangeJA: fmt.Sprintf("labelled: %d", last.Images)}
	}
	return Finding{Effect: For, Weight: 1, EN: fmt.Sprintf("%d labelled images are enough: from %d it came to %s %.3f.", have, reached.Images, last.Main.Name, float64(reached.Main.Value)), JA: fmt.Sprintf("%d枚で足りる：%d枚で%.3f。", have, reached.Images, float64(reached.Main.Value))}
}

// staff: who is there to run servers and to train.
func staff(x candidate) Finding {
	switch {
	case x.q.Staff == "none" && x.t.Local:
		return Finding{Effect: Against, Weight: -2, EN: "Somebody must run the server and keep it up to date.", JA: "サーバーの運用と更新を担う人が必要。", ChangeEN: "staff: operator", ChangeJA: "staff: operatorなら変わる"}
	case x.q.Staff == "operator" && x.t.Kind == compare.Own:
		return Finding{Effect: Against, Weight: -1, EN: "Choosing a network and a recipe asks for an engineer.", JA: "ネットワークと学習法を選ぶ技術者が必要。", ChangeEN: "staff: engineer", ChangeJA: "staff: engineerなら変わる"}
	case x.q.Staff == "engineer" && x.t.Kind == compare.Own:
		return Finding{Effect: For, Weight: 0.5, EN: "An engineer can go on improving it: network, recipe and preprocessing are free.", JA: "技術者がネットワーク・学習法・前処理を改良し続けられる。"}
	default:
		return Finding{}
	}
}

// evidence: what was not measured is a promise.
func evidence(x candidate) Finding {
	if x.m != nil {
		return Finding{}
	}
	return Finding{Effect: Against, Weight: -3, EN: "It was not asked: its prices are known, its answers on your images are not.", JA: "測定していない：料金は分かるが、この画像での精度は不明。",
		ChangeEN: "measure it: " + x.t.Service + " among --routes", ChangeJA: "--routesに" + x.t.Service + "を加えて測定する"}
}
