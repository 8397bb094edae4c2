package metrics

import (
	"math"
	"slices"
)

// combine applies an operator period by period. A period that lacks an operand,
// or that would divide by zero, has no value.
func combine(operator string, left, right term) term {
	return func(series map[string]points, length int) points {
		a, b := left(series, length), right(series, length)
		result := make(points, length)
		for i := range result {
			if a[i].ok && b[i].ok {
				value := calculate(operator, a[i].value, b[i].value)
				result[i] = point{value, !math.IsNaN(value) && !math.IsInf(value, 0)}
			}
		}
		return result
	}
}

func calculate(operator string, a, b float64) float64 {
	truth := func(is bool) float64 {
		if is {
			return 1
		}
		return 0
	}
	switch operator {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	case "/":
		return a / b
	case "^":
		return math.Pow(a, b)
	case "==":
		return truth(a == b)
	case "!=":
		return truth(a != b)
	case "<":
		return truth(a < b)
	case "<=":
		return truth(a <= b)
	case ">":
		return truth(a > b)
	case ">=":
		return truth(a >= b)
	case "AND", "&&":
		return truth(a != 0 && b != 0)
	default: // "OR" and "||", the last of the levels
		return truth(a != 0 || b != 0)
	}
}

func constant(value float64) term {
	return func(_ map[string]points, length int) points {
		return slices.Repeat(points{{value, true}}, length)
	}
}

func each(operand term, apply func(float64) float64) term {
	return func(series map[string]points, length int) points {
		result := slices.Clone(operand(series, length))
		for i := range result {
			result[i].value = apply(result[i].value)
		}
		return result
	}
}

func repeatLast(operand term) term {
	return func(series map[string]points, length int) points {
		result := slices.Clone(operand(series, length))
		for i := 1; i < len(result); i++ {
			if !result[i].ok {
				result[i] = result[i-1]
			}
		}
		return result
	}
}

func aggregated(name string, values []float64) float64 {
	switch name {
	case "MIN":
		return slices.Min(values)
	case "MAX":
		return slices.Max(values)
	}
	sum := 0.0
	for _, value := range values {
		sum += value
	}
	if name == "AVG" {
		return sum / float64(len(values))
	}
	return sum
}
