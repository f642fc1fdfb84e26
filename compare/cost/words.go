package cost

import (
	"fmt"
	"math"
	"slices"
)

// Thousands writes a number to the nearest whole one, with commas.
func Thousands(v float64) string {
	digits := fmt.Appendf(nil, "%.0f", math.Round(v))
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = slices.Insert(digits, i, ',')
	}
	return string(digits)
}

// Dollars writes an amount with as many digits as its size asks for.
func Dollars(usd float64) string {
	switch {
	case usd == 0:
		return "$0"
	case usd < 0.1:
		return fmt.Sprintf("$%.4f", usd)
	case usd < 100:
		return fmt.Sprintf("$%.2f", usd)
	default:
		return "$" + Thousands(usd)
	}
}

// Japanese names what a line pays for in Japanese; its own value is English.
func (w What) Japanese() string {
	return map[What]string{
		Calls: "呼び出し", Machines: "サーバー", Units: "推論ユニット", Nodes: "ノード", MoreNodes: "2台目以降のノード",
		Training: "学習", Labelling: "ラベル付け", Operation: "運用",
	}[w]
}
