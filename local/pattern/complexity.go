package pattern

import (
	"fmt"
	"maps"
	"slices"
)

// maxComplexity is the highest complexity of a field's wildcards that EventBridge takes. AWS documents that there is a
// limit, but not which. Recorded: three alternatives like *:stack/name/* (9) are taken and a fourth (12) is refused
// (github.com/vals-ai/Valkyrie, pull request 278), as is *:*:*:*:*:event-bus/* (11, in LocalStack's
// content_wildcard_complex_EXC).
//
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html#eb-filtering-wildcard-matching-complexity
const maxComplexity = 10

// asterisk is the token of a wildcard that isn't a byte.
const asterisk = -1

// complexity is what AWS's matcher calls the complexity of a field's wildcards: at how many places in them it can be at
// once, for the worst value. An alternative has several patterns if it is an anything-but with a list; they share their
// places up to the first asterisk. Above maxComplexity it is a lower bound.
//
// https://github.com/aws/event-ruler/blob/main/src/main/software/amazon/event/ruler/MachineComplexityEvaluator.java
func complexity(alternatives [][][]int) int {
	type place struct {
		next  map[int][]int // by byte
		skip  int           // the place behind an asterisk, which matches nothing too; 0: no asterisk follows
		stays bool          // an asterisk: any byte leads back here
	}
	var places []place
	ids := map[string]int{}
	at := func(key string) int {
		if _, known := ids[key]; !known {
			ids[key] = len(places)
			places = append(places, place{next: map[int][]int{}})
		}
		return ids[key]
	}
	var starts []int
	const other = -2 // any byte that no wildcard names
	bytes := map[int]bool{other: true}
	for i, patterns := range alternatives {
		starts = append(starts, at(fmt.Sprint(i)))
		for _, pattern := range patterns {
			from, open := at(fmt.Sprint(i)), false
			for n, token := range pattern {
				var to int
				switch {
				case n == len(pattern)-1:
					to = at(fmt.Sprint(i, "matched"))
				case open:
					to = at(fmt.Sprint(i, pattern, n))
				default:
					to = at(fmt.Sprint(i, pattern[:n+1]))
				}
				if token == asterisk {
					open, places[from].skip, places[to].stays = true, to, true
				} else if bytes[token] = true; !slices.Contains(places[from].next[token], to) {
					places[from].next[token] = append(places[from].next[token], to)
				}
				from = to
			}
		}
	}

	most, seen := 0, map[string]bool{}
	for pending := [][]int{starts}; len(pending) > 0; pending = pending[1:] {
		for symbol := range bytes {
			reached := map[int]bool{}
			for _, from := range pending[0] {
				if places[from].stays {
					reached[from] = true
				}
				for _, to := range places[from].next[symbol] {
					reached[to] = true
					if skip := places[to].skip; skip != 0 {
						reached[skip] = true
					}
				}
			}
			if most = max(most, len(reached)); most > maxComplexity {
				return most
			}
			set := slices.Sorted(maps.Keys(reached))
			if key := fmt.Sprint(set); len(set) > 0 && !seen[key] {
				seen[key] = true
				pending = append(pending, set)
			}
		}
	}
	return most
}

// wildcards are the patterns of an alternative that has some, and was compiled.
func wildcards(alternative any) (patterns [][]int) {
	object, _ := alternative.(map[string]any)
	if negated, ok := object["anything-but"].(map[string]any); ok {
		object = negated
	}
	values, isList := object["wildcard"].([]any)
	if value, ok := object["wildcard"]; ok && !isList {
		values = []any{value}
	}
	for _, value := range values {
		text, _ := value.(string)
		pieces, _ := wildcardPieces(text)
		pattern := []int{'"'} // as AWS's matcher reads strings
		for i, piece := range pieces {
			if i > 0 {
				pattern = append(pattern, asterisk)
			}
			for _, b := range []byte(piece) {
				pattern = append(pattern, int(b))
			}
		}
		patterns = append(patterns, append(pattern, '"'))
	}
	return patterns
}
