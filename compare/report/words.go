package report

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strconv"
	"strings"

	"trilobite/compare"
	"trilobite/compare/cost"
	"trilobite/price"
)

// Lang is a language of the report.
type Lang string

// The languages.
const (
	English  Lang = "en"
	Japanese Lang = "ja"
)

// Langs returns the languages of every report.
func Langs() []Lang { return []Lang{English, Japanese} }

// Text is the same in both languages.
type Text struct{ EN, JA string }

// In returns the text in a language.
func (t Text) In(l Lang) string {
	if l == Japanese {
		return t.JA
	}
	return t.EN
}

// both writes a text in both languages; the page shows one.
func both(en, ja string) template.HTML {
	return template.HTML(`<span lang="en">` + html.EscapeString(en) + `</span><span lang="ja">` + html.EscapeString(ja) + `</span>`) //nolint:gosec // escaped
}

// kindTitle is a column's heading.
func kindTitle(k compare.Kind) Text {
	return map[compare.Kind]Text{
		compare.Pretrained: {"Pretrained API", "学習済みAPI"},
		compare.Custom:     {"Custom model", "カスタムモデル"},
		compare.Own:        {"Own model", "独自モデル"},
	}[k]
}

// kindLine says under the heading what the kind is.
func kindLine(k compare.Kind) Text {
	return map[compare.Kind]Text{
		compare.Pretrained: {"somebody else's model and labels", "用意されたモデルとラベルを使う"},
		compare.Custom:     {"your labels, a service's network", "自分のラベルで、既製の仕組みが学習"},
		compare.Own:        {"your labels, your network and recipe", "ネットワークも学習法も自分で選ぶ"},
	}[k]
}

// figureName says what a figure is called.
func figureName(name string) Text { return Text{name, compare.FigureInJapanese(name)} }

// whatName says what a cost is for.
func whatName(w cost.What) Text { return Text{string(w), w.Japanese()} }

func whatNames(list []cost.What, l Lang) string {
	names := make([]string, len(list))
	for i, w := range list {
		names[i] = whatName(w).In(l)
	}
	return strings.Join(names, map[Lang]string{English: ", ", Japanese: "、"}[l])
}

// serviceName is whose a route is.
func serviceName(service string) string {
	names := map[string]string{
		"rekognition": "Amazon Rekognition", "custom-labels": "Rekognition Custom Labels", "vision": "Google Vision", "vertex": "Vertex AI",
	}
	if n, ok := names[service]; ok {
		return n
	}
	return "Trilobite"
}

// number writes a figure with three digits; a dash where there is none.
func number(v compare.Number) string {
	if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
		return "–"
	}
	return fmt.Sprintf("%.3f", float64(v))
}

// perUnit writes a price of the book with all its digits.
func perUnit(v float64) string {
	text := "$" + strconv.FormatFloat(v, 'f', -1, 64)
	if _, cents, _ := strings.Cut(text, "."); len(cents) == 1 {
		text += "0"
	}
	return text
}

// signed writes a difference with three digits and its sign.
func signed(v float64) string { return strings.Replace(fmt.Sprintf("%+.3f", v), "-", "−", 1) }

// sum writes what a month costs.
func sum(s cost.Sum, l Lang) string {
	switch {
	case s.Empty():
		return Text{"unknown", "不明"}.In(l)
	case s.AtMost:
		return Text{"up to ", "最大"}.In(l) + cost.Dollars(s.USD)
	case !s.Whole():
		return cost.Dollars(s.USD) + " +"
	default:
		return cost.Dollars(s.USD)
	}
}

// duration writes seconds for people.
func duration(s float64, l Lang) string {
	en := l != Japanese
	unit := func(v float64, format, e, j string) string {
		if en {
			return fmt.Sprintf(format+" %s", v, e)
		}
		return fmt.Sprintf(format+j, v)
	}
	switch {
	case s <= 0:
		return "–"
	case s < 1:
		return unit(s*1000, "%.0f", "ms", " ms")
	case s < 90:
		return unit(s, "%.1f", "s", "秒")
	case s < 5400:
		return unit(s/60, "%.1f", "min", "分")
	default:
		return unit(s/3600, "%.1f", "h", "時間")
	}
}

// bytesOf writes a size.
func bytesOf(n int64) string {
	switch {
	case n == 0:
		return "–"
	case n < 1<<20:
		return fmt.Sprintf("%.0f kB", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.0f MB", float64(n)/(1<<20))
	default:
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	}
}

// pValue writes a p-value for a column that says "p".
func pValue(p float64) string {
	return strings.TrimPrefix(strings.TrimPrefix(compare.PValue(p), "p "), "= ")
}

// learnedBy says how the routes that were trained here learned, which differs on purpose: as
// each route comes.
func (r *Report) learnedBy() Text {
	var all, allJA []string
	for _, m := range r.Result.Routes {
		if m.Missing == "" && m.Recipe != "" {
			all, allJA = append(all, m.Name+": "+m.Recipe), append(allJA, m.Name+"："+m.RecipeJA)
		}
	}
	if len(all) == 0 {
		return Text{"Nothing was trained for this comparison.", "この比較のための学習は行っていない。"}
	}
	text := Text{
		"Each route learned as it comes. " + strings.Join(all, ". ") + ". None of these saw the images that were asked about.",
		"各経路は標準のやり方で学習した。" + strings.Join(allJA, "。") + "。いずれも質問に使った画像は学習に使っていない。",
	}
	if len(r.of(compare.Pretrained)) > 0 {
		text.EN += " What pretrained models were trained on, this run cannot tell."
		text.JA += "学習済みモデルが何で学習されたかは、この比較では分からない。"
	}
	return text
}

// measuredOn says what the times and the memory are of.
func (r *Report) measuredOn() Text {
	m := r.Result.Machine
	at := fmt.Sprintf("%s, %d", m.CPU, m.Cores)
	return Text{
		at + " cores, " + bytesOf(m.Memory) + ", " + m.OS + ". Latency is of one call at a time. Memory is the peak of a process that does nothing but answer by that route; – is not measured.",
		at + "コア、" + bytesOf(m.Memory) + "、" + m.OS + "。遅延は1件ずつの呼び出し。メモリはその経路だけを動かしたプロセスの最大値。–は未測定。",
	}
}

// reason is why a route has no figures. Those that are not in the list stay as they are.
func reason(why string) Text {
	ja := map[string]string{
		"No pretrained model here names pixels, and neither Rekognition nor Vision has such an operation.": "画素単位の学習済みモデルはなく、RekognitionにもVisionにもその操作はありません。",
		"Custom Labels learns labels and boxes, not pixels.":                                               "Custom Labelsが学習するのはラベルと矩形で、画素単位の学習はできません。",
		"There are no images to train on: the data set has no training part.":                              "学習用の画像がありません。",
		"Rekognition names no pixels.":                                                                     "Rekognitionには画素単位の操作がありません。",
		"Google Vision names no pixels.":                                                                   "Google Visionには画素単位の操作がありません。",
	}
	if t, ok := ja[why]; ok {
		return Text{why, t}
	}
	if models, ok := strings.CutSuffix(why, " finds boxes."); ok {
		return Text{why, strings.TrimPrefix(models, "None of ") + "には矩形を検出するモデルがありません。"}
	}
	return Text{why, why}
}

// assumptionName says what is assumed, by its name in the file of assumptions.
func assumptionName(key string) Text {
	names := map[string]Text{
		"volume": {"images a month", "月あたりの枚数"}, "hours": {"hours a month that machines and endpoints run", "月の稼働時間"},
		"utilisation": {"load of a machine at most, for peaks", "サーバー負荷の上限"}, "months": {"months that one-off costs are spread over", "初期費用の按分月数"},
		"machine_price": {"a machine, dollars an hour", "サーバー（ドル／時間）"}, "throughput": {"measured images a second", "測定した毎秒の枚数"},
		"unit_images_per_second": {"images a second of an inference unit of Custom Labels", "Custom Labelsの推論ユニットの毎秒枚数"},
		"node_images_per_second": {"images a second of a node of Vertex AI", "Vertex AIのノードの毎秒枚数"},
		"labour_price":           {"a person, dollars an hour", "人件費（ドル／時間）"}, "operation_hours": {"a person's hours a month for operation", "運用（人時／月）"},
		"labelled images": {"labelled images", "ラベル付き画像"}, "labelling_seconds": {"seconds to label an image", "1枚のラベル付け（秒）"},
		"cloud_training_hours": {"hours of a vendor's training", "先方での学習時間"},
	}
	if t, ok := names[key]; ok {
		return t
	}
	return Text{key, key}
}

// unitName says what a price is of; stateName how sure it is.
func unitName(unit string) Text {
	return map[string]Text{"image": {"image", "枚"}, "hour": {"hour", "時間"}}[unit]
}

func stateName(state string) Text {
	ja := map[string]string{price.Stated: "公表", price.Copied: "写し", price.Unconfirmed: "未確認", price.Yours: "指定", price.Unknown: "不明"}
	return Text{state, ja[state]}
}
