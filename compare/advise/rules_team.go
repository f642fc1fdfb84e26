package advise

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"trilobite/compare"
	"trilobite/compare/cost"
)

// budget: dollars a month at the required volume.
func budget(x candidate) Finding {
	if x.q.Budget == nil {
		return Finding{}
	}
	usd, most := x.at.USD, *x.q.Budget
	images, sum, limit := cost.Thousands(x.at.Images), cost.Dollars(usd), cost.Dollars(most)
	if sum == limit { // to the digits that are shown
		sum, limit = fmt.Sprintf("$%.2f", usd), fmt.Sprintf("$%.2f", most)
	}
	switch {
	case !x.at.Empty() && usd > most && !x.at.AtMost:
		return Finding{Effect: Out, EN: fmt.Sprintf("%s images cost %s a month, more than %s.", images, sum, limit), JA: fmt.Sprintf("月%s枚で%s。予算%sを超える。", images, sum, limit),
			ChangeEN: fmt.Sprintf("budget: %.0f", math.Ceil(usd)), ChangeJA: fmt.Sprintf("budget: %.0f", math.Ceil(usd))}
	case !x.at.Empty() && usd > most: // a bound: cheaper tiers follow somewhere
		return Finding{Effect: Open, EN: fmt.Sprintf("%s images cost up to %s a month; whether that is %s or less cannot be told.", images, sum, limit), JA: fmt.Sprintf("月%s枚で最大%s。予算%sに収まるか判断できない。", images, sum, limit),
			ChangeEN: "the vendor's lower tiers in a price book (--prices)", ChangeJA: "--pricesで安い段階の料金を指定する"}
	case !x.at.Whole():
		return unknownCosts(x)
	default:
		return Finding{Effect: For, Weight: 1, EN: fmt.Sprintf("%s images cost %s a month.", images, sum), JA: fmt.Sprintf("月%s枚で%s。", images, sum)}
	}
}

// unknownCosts names what is left out of a sum that the budget may or may not hold, and what
// would tell it.
func unknownCosts(x candidate) Finding {
	var en, ja, needs []string
	for _, l := range x.t.Lines {
		if l.Needs == "" {
			continue
		}
		en, ja = append(en, string(l.What)), append(ja, l.What.Japanese())
		if !slices.Contains(needs, l.Needs) {
			needs = append(needs, l.Needs)
		}
	}
	return Finding{
		Effect:   Open,
		EN:       fmt.Sprintf("Whether it fits the budget cannot be told: the cost of %s is unknown.", strings.Join(en, ", ")),
		JA:       "不明な費目（" + strings.Join(ja, "、") + "）があり、予算に収まるか判断できない。",
		ChangeEN: "say " + strings.Join(needs, ", ") + " (--assumptions, --prices)",
		ChangeJA: strings.Join(needs, "、") + "を指定する（--assumptions、--prices）",
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
	reached := at(x.m.Curve, have)
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
