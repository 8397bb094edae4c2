// Command mutation turns the conditions of the rules around, one at a time, and asks whether a test notices.
//
// Every condition in the sources of rules, document and value is instrumented once, at source level: an if, a case of a
// switch, or the result of a function that answers a question. The instrumented packages and the tests of rules are
// built once with `go test -overlay`, which leaves the sources as they are. A first run of the tests records which rule
// asks which condition. Each of these pairs is a mutant: the tests run again with that condition negated while that
// rule judges, and somebody has to fail. What no rule decides by itself is not counted twice: a condition of the
// machinery that all rules share, such as exemptions, is one mutant.
//
//	go run ./mutation          prints the score of each rule and of all, and fails below 100 %
//	go run ./mutation -v       lists every mutant
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	verbose := flag.Bool("v", false, "list every mutant")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	score, err := measure(ctx, "rules")
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutation:", err)
		os.Exit(2)
	}
	score.write(os.Stdout, *verbose)
	if len(score.survivors()) > 0 {
		os.Exit(1)
	}
}
