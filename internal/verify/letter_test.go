package verify

import (
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"trade-processing/lambdas/function/functiontest"
)

// run and eventID belong to the one verification in these tests. Its trade of system2 was sent, and the bus's answer
// lost.
const (
	run     = "0123456789abcdef"
	eventID = "f3955a9f-3b1e-4c38-a9a4-7ad1d1b1c3a7"
)

func aVerification() *verification {
	v := &verification{run: run}
	for _, source := range []string{"system1", "system2", "system3"} {
		v.trades = append(v.trades, v.newTrade(source, source, nil))
	}
	v.malformed = v.newTrade("malformed", "system1", map[string]any{"tradeId": nil})
	for _, s := range []*sent{v.trades[0], v.trades[1], v.malformed} { // the third was refused by the bus
		s.at = time.Now()
	}
	v.trades[0].eventID = eventID
	return v
}

func letterOf(body string) letter {
	return read("https://sqs.us-east-1.amazonaws.com/1/letters", types.Message{Body: aws.String(body), ReceiptHandle: aws.String("r")})
}

func TestALetterIsKnownByItsEventOrItsRun(t *testing.T) {
	v := aVerification()
	own := func(s *sent) string {
		text, err := json.Marshal(s.detail)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for name, test := range map[string]struct {
		body string
		want *sent
	}{
		"of the workflow, by the event":          {`{"event": {"id": "` + eventID + `", "detail": {}}, "error": {"Error": "E"}}`, v.trades[0]},
		"of a rule, by the event":                {`{"id": "` + eventID + `", "detail": {"tradeId": "altered"}}`, v.trades[0]},
		"whose event isn't known, by the run":    {`{"event": {"id": "1", "detail": ` + own(v.trades[1]) + `}}`, v.trades[1]},
		"of the malformed one, which has no id":  {`{"event": {"id": "1", "detail": ` + own(v.malformed) + `}}`, v.malformed},
		"of a trade that the bus refused":        {`{"event": {"id": "1", "detail": ` + own(v.trades[2]) + `}}`, nil},
		"of another run":                         {`{"event": {"id": "1", "detail": {"tradeId": "verify-1-system2", "verification": "1"}}}`, nil},
		"of a real trade":                        {`{"event": {"id": "1", "detail": {"tradeId": "1"}}}`, nil},
		"that names the run in a field's name":   {`{"event": {"id": "1", "detail": {"` + run + `": "verification"}}}`, nil},
		"that is not an object":                  {`"` + run + `"`, nil},
		"that is no JSON":                        {run, nil},
		"whose detail is not an object":          {`{"event": {"id": "1", "detail": "` + run + `"}}`, nil},
		"that has neither event nor id":          {`{}`, nil},
		"whose field verification is not text":   {`{"event": {"id": "1", "detail": {"verification": {"` + run + `": 1}}}}`, nil},
		"whose event has an empty id, as others": {`{"event": {"id": "", "detail": {}}}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := v.owner(letterOf(test.body)); got != test.want {
				t.Errorf("it is of %+v", got)
			}
		})
	}
}

// Other people's messages are never taken for marks, whatever they look like, unless they name this run or its event.
func FuzzALetterOfOthersIsNobodys(f *testing.F) {
	for _, body := range []string{
		`{"event": {"id": "1", "detail": {"tradeId": "1"}}, "error": {"Error": "E", "Cause": "C"}, "executionArn": "a"}`,
		`{"id": "1", "detail": {"verification": null}}`, `{"event": null}`, `[]`, ``, `{"event": {"id": 1}}`,
		`{"event": {"id": "` + eventID + `"}}`, `{"id": "1", "detail": {"verification": "` + run + `"}}`,
	} {
		f.Add(body)
	}
	v := aVerification()
	f.Fuzz(func(t *testing.T, body string) {
		escaped := strings.Contains(body, `\u`) // which may write them differently
		if strings.Contains(body, run) || strings.Contains(body, eventID) || escaped {
			v.owner(letterOf(body)) // and doesn't panic
			return
		}
		if found := v.owner(letterOf(body)); found != nil {
			t.Errorf("%s is taken for the trade of %s", body, found.name)
		}
	})
}

// The canonical text a record is compared with is JSON with its names in order and no white space.
func TestTheCanonicalTextIsPutTogetherHere(t *testing.T) {
	s := aVerification().trades[0]
	want := `{"amount":"190.50","currency":"USD","executedAt":"` + s.executed.Format("2006-01-02T15:04:05.000Z") +
		`","fee":1.5,"isin":"US0378331005","price":"190.50","quantity":"1","side":"BUY","sourceSystem":"system1","symbol":"AAPL","synthetic":true,` +
		`"tradeId":"verify-` + run + `-system1","venue":"XNAS","verification":"` + run + `"}`
	if s.canonical != want {
		t.Errorf("got %s\nwant %s", s.canonical, want)
	}
	if sent := strings.Replace(want, `1.5,`, `1.50,`, 1); s.spelling != sent {
		t.Errorf("sent %s\nwant %s", s.spelling, sent)
	}
}

// What a step saw can neither end an element of the JUnit file nor make it something that no build server reads.
func TestHostileTextsStayInTheirElements(t *testing.T) {
	for _, text := range functiontest.Hostile() {
		r := &Report{Environment: text, Steps: []Result{
			{Step: text, Outcome: Failed, Found: []string{text}, Problems: []string{text}}, {Step: text, Outcome: Skipped, Found: []string{text}},
		}}
		file, err := r.JUnit()
		if err != nil {
			t.Fatal(err)
		}
		var read junitSuite
		if err := xml.Unmarshal(file, &read); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		want := strings.Map(func(r rune) rune { // what XML has no way to write, and line ends, which it reads as \n
			if r < ' ' && !strings.ContainsRune("\t\n\r", r) || r == 0xFFFE || r == 0xFFFF {
				return 0xFFFD
			}
			return r
		}, text)
		if len(read.Cases) != 2 || read.Cases[0].Failure == nil || read.Cases[1].Skipped == nil || read.Cases[0].Name != want ||
			read.Cases[0].Failure.Text != want || read.Cases[0].Failure.Message != want || read.Cases[1].Skipped.Message != want {
			t.Errorf("%q is read as %+v", text, read)
		}
	}
}
