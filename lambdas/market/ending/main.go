// The program ending warns of venues whose calendar ends soon. It never fails because of them: the passing of time must
// not turn a build red.
package main

import (
	"fmt"
	"os"
	"strings"
	"time"
	_ "time/tzdata" // not every machine has time zones

	"trade-processing/lambdas/market"
)

func main() {
	reference, err := market.Load()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	warning := "warning: "
	if os.Getenv("GITHUB_ACTIONS") == "true" {
		warning = "::warning::" // a workflow command, which GitHub shows on the run's page
	}
	today := market.DateOf(time.Now().UTC().Date())
	for _, end := range reference.EndingSoon(today) {
		fmt.Printf("%sonly known until %s (%d days): %s\n", warning, end.Until, end.Until-today, strings.Join(end.Venues, " "))
	}
}
