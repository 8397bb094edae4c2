package console_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/net/html"

	"trade-processing/internal/console"
	"trade-processing/internal/feed"
	"trade-processing/internal/operate"
	"trade-processing/internal/sample"
	"trade-processing/lambdas/function/functiontest"
	"trade-processing/local/cloud"
	"trade-processing/tests/deployed"
)

const (
	port   = "4711"
	origin = "http://127.0.0.1:" + port
)

// world is a deployed stack with its console.
type world struct {
	*deployed.Served
	t       *testing.T
	console *console.Console
	cookie  *http.Cookie
}

func newWorld(t *testing.T) *world { return newWorldWith(t, nil) }

func newWorldWith(t *testing.T, config map[string]string) *world {
	t.Helper()
	w := &world{Served: deployed.Serve(t, cloud.Options{Executions: 100}, "../..", "dev", config), t: t}
	w.console = console.New(console.Options{Stack: w.Stack, Title: "trade-processing dev", Every: time.Second}, port)
	answer := w.ask(httptest.NewRequestWithContext(t.Context(), http.MethodGet, w.console.Address(), nil))
	for _, cookie := range answer.Result().Cookies() {
		w.cookie = cookie
	}
	if w.cookie == nil {
		t.Fatalf("the address gives no cookie: %d %s", answer.Code, answer.Body)
	}
	return w
}

func (w *world) ask(r *http.Request) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	w.console.Handler().ServeHTTP(answer, r)
	return answer
}

func (w *world) request(method, path string, form url.Values) *http.Request {
	r := httptest.NewRequestWithContext(w.t.Context(), method, origin+path, strings.NewReader(form.Encode()))
	r.AddCookie(w.cookie)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", origin)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return r
}

// get returns a page that must be there.
func (w *world) get(path string) string {
	w.t.Helper()
	answer := w.ask(w.request(http.MethodGet, path, nil))
	if answer.Code != http.StatusOK {
		w.t.Fatalf("%s: %d\n%s", path, answer.Code, answer.Body)
	}
	return answer.Body.String()
}

func (w *world) put(entries ...string) {
	w.t.Helper()
	err := w.Stack.Send(w.t.Context(), feed.FromReader("entries", strings.NewReader(strings.Join(entries, "\n"))), operate.Sending{AtOnce: 1})
	if err != nil {
		w.t.Fatal(err)
	}
}

// trade returns an entry of a trade with this id and comment. It lacks what a valid one needs.
func trade(id, comment string) string {
	detail, _ := json.Marshal(map[string]string{"tradeId": id, "executedAt": "2026-03-09T14:30:00Z", "comment": comment, "symbol": comment, "venue": comment, "side": comment, "currency": comment})
	entry, _ := json.Marshal(map[string]string{"Source": "trading.system1", "DetailType": comment + ".", "Detail": string(detail)})
	return string(entry)
}

// AWS keeps no list of EXPRESS executions, but the workflow's log has them.
func TestExecutionsOfAnExpressWorkflow(t *testing.T) {
	w := newWorldWith(t, map[string]string{"workflowType": "EXPRESS", "workflowLogLevel": "ALL"})
	w.put(`{"Source":"trading.system1","DetailType":"Trade Event","Detail":{"amount":"1"}}`)
	list := w.get("/executions?status=FAILED")
	link := regexp.MustCompile(`/execution\?arn=[^"]+`).FindString(list)
	if !strings.Contains(list, "The workflow is EXPRESS") || link == "" {
		t.Fatalf("the list is\n%s", list)
	}
	// The local cloud logs only how an execution begins and ends.
	if page := w.get(html.UnescapeString(link)); !strings.Contains(page, `class="state FAILED"`) || !strings.Contains(page, "Its log has no states.") {
		t.Errorf("the execution is\n%s", page)
	}
}

// views are the menu's.
var views = []string{"/", "/workflow", "/trades", "/executions", "/letters", "/alarms", "/resources", "/send"}

func TestEveryViewOfAStackWithoutTrades(t *testing.T) {
	w := newWorld(t)
	for _, path := range views {
		if page := w.get(path); !strings.Contains(page, "<h1") || !strings.HasSuffix(page, "</html>\n") {
			t.Errorf("%s is no whole page", path)
		}
	}
	if page := w.get("/trades"); !strings.Contains(page, "No trade has been recorded yet") {
		t.Error("nothing says that there is no trade")
	}
	for path, want := range map[string]int{"/none": 404, "/trade?id=none": 404, "/trades?since=yesterday": 400, "/execution?arn=none": 404} {
		if answer := w.ask(w.request(http.MethodGet, path, nil)); answer.Code != want || !strings.Contains(answer.Body.String(), "<main") {
			t.Errorf("%s answers with %d, want a page with %d", path, answer.Code, want)
		}
	}
}

// settled waits until the trades are in the index.
func (w *world) settled(want int) []operate.Listed {
	w.t.Helper()
	var rows []operate.Listed
	for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(20 * time.Millisecond) {
		rows = nil
		for row, err := range w.Stack.List(w.t.Context(), operate.Filter{}) {
			if err != nil {
				w.t.Fatal(err)
			}
			rows = append(rows, row)
		}
		if len(rows) == want {
			return rows
		}
	}
	w.t.Fatalf("%d trades are recorded, want %d", len(rows), want)
	return nil
}

// Whatever a trade holds is text: it adds no element, no attribute and no character that does something.
func TestHostileTradesAreText(t *testing.T) {
	w := newWorld(t)
	hostile := functiontest.Hostile()
	var entries []string
	for i, text := range hostile {
		entries = append(entries, trade(fmt.Sprintf("t-%d", i), text))
	}
	entries = append(entries, trade(`"><script src=//evil.example></script>`, "x"), trade("", `<img src=x onerror=alert(1)>`))
	w.put(entries...)
	rows := w.settled(len(hostile))
	paths := append([]string{"/letters?queue=validator", "/redrive?queue=validator", "/trades?source=system1&status=REJECTED"}, views...)
	for _, row := range rows {
		paths = append(paths, "/trade?"+url.Values{"id": {row.TradeID}}.Encode())
	}
	for _, text := range hostile {
		paths = append(paths, "/trade?"+url.Values{"id": {text}}.Encode(), "/letters?"+url.Values{"queue": {text}}.Encode())
	}
	for _, path := range paths {
		answer := w.ask(w.request(http.MethodGet, path, nil))
		if answer.Code >= http.StatusInternalServerError && !strings.Contains(answer.Body.String(), "<main") {
			t.Fatalf("%s: %s", path, answer.Body)
		}
		checkPage(t, path, answer.Body.String(), false)
	}
	var file bytes.Buffer
	if err := console.WriteFile(t.Context(), &file, w.Stack, `</title><script>alert(1)</script>`); err != nil {
		t.Fatal(err)
	}
	checkPage(t, "the file", file.String(), true)
}

// checkPage finds what a page must not have. A file may have its one script and style.
func checkPage(t *testing.T, name, text string, inFile bool) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%s is not UTF-8", name)
	}
	tree, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	inline := 0
	for node := range tree.Descendants() {
		if node.Type == html.TextNode && node.Parent.Data != "script" {
			for _, r := range node.Data {
				if r != '\n' && r != '\t' && !strconv.IsPrint(r) {
					t.Errorf("%s shows %q in %q", name, r, node.Data)
					break
				}
			}
		}
		if node.Type != html.ElementNode {
			continue
		}
		switch node.Data {
		case "img", "iframe", "object", "embed", "base":
			t.Errorf("%s has an element %s", name, node.Data)
		case "script", "style":
			if node.FirstChild != nil {
				inline++
			}
		}
		for _, attribute := range node.Attr {
			address := attribute.Key == "src" || attribute.Key == "href" || attribute.Key == "action" || strings.HasPrefix(attribute.Key, "hx-")
			switch {
			case strings.HasPrefix(attribute.Key, "on"), attribute.Key == "style":
				t.Errorf("%s has an attribute %s=%q", name, attribute.Key, attribute.Val)
			case address && (strings.Contains(attribute.Val, "//") || strings.Contains(attribute.Val, "script:")):
				t.Errorf("%s leads to %s", name, attribute.Val)
			case address && inFile && !strings.HasPrefix(attribute.Val, "#"):
				t.Errorf("%s has an address %s=%q", name, attribute.Key, attribute.Val)
			}
		}
	}
	if want := map[bool]int{true: 2}[inFile]; inline != want {
		t.Errorf("%s has %d inline scripts and styles, want %d", name, inline, want)
	}
}

// The file's own policy admits its script and style by their hashes, and no request.
func TestAFileLoadsNothing(t *testing.T) {
	w := newWorld(t)
	w.put(trade("t-1", "x"))
	w.settled(1)
	var file bytes.Buffer
	if err := console.WriteFile(t.Context(), &file, w.Stack, "trade-processing dev"); err != nil {
		t.Fatal(err)
	}
	text := file.String()
	policy := regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(text)
	if policy == nil {
		t.Fatal("the file has no policy")
	}
	of := html.UnescapeString(policy[1])
	for _, element := range []string{"style", "script"} {
		found := regexp.MustCompile(`(?s)<`+element+`>(.*?)</`+element+`>`).FindAllStringSubmatch(text, -1)
		if len(found) != 1 || !strings.Contains(of, console.Hash(found[0][1])) {
			t.Errorf("%d elements %s, not admitted by %s", len(found), element, of)
		}
	}
	if !strings.HasPrefix(of, "default-src 'none';") || strings.Contains(of, "'self'") || strings.Contains(of, "connect-src") {
		t.Errorf("the policy admits requests: %s", of)
	}
	for _, want := range []string{"t-1", "KeepValidateTradeFailure", "Leon Sorokin", "All quiet"} {
		if !strings.Contains(text, want) {
			t.Errorf("the file lacks %s", want)
		}
	}
}

func TestOnlyTheOperatorGetsIn(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]struct {
		change func(*http.Request)
		method string
		want   int
	}{
		"the operator":                     {func(*http.Request) {}, http.MethodGet, 200},
		"by localhost":                     {func(r *http.Request) { r.Host = "localhost:" + port }, http.MethodGet, 200},
		"a name that leads here":           {func(r *http.Request) { r.Host = "evil.example:" + port }, http.MethodGet, 421},
		"another port":                     {func(r *http.Request) { r.Host = "127.0.0.1:1" }, http.MethodGet, 421},
		"without the key":                  {func(r *http.Request) { r.Header.Del("Cookie") }, http.MethodGet, 401},
		"with a wrong key":                 {func(r *http.Request) { r.Header.Set("Cookie", "tradectl-console-"+port+"=x") }, http.MethodGet, 401},
		"a script of another page":         {func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }, http.MethodGet, 403},
		"a form without the token":         {func(*http.Request) {}, http.MethodPost, 403},
		"a form with a wrong token":        {func(r *http.Request) { r.URL.RawQuery = "token=x" }, http.MethodPost, 403},
		"a form of another page":           {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, http.MethodPost, 403},
		"a form of another page, by name":  {func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }, http.MethodPost, 403},
		"a form of a sandboxed other page": {func(r *http.Request) { r.Header.Set("Origin", "null") }, http.MethodPost, 403},
	} {
		t.Run(name, func(t *testing.T) {
			path, form := "/", url.Values(nil)
			if test.method == http.MethodPost {
				path, form = "/redrive", url.Values{"queue": {"validator"}}
			}
			r := w.request(test.method, path, form)
			test.change(r)
			answer := w.ask(r)
			if answer.Code != test.want {
				t.Errorf("the answer is %d, want %d", answer.Code, test.want)
			}
			if policy := answer.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; script-src 'self'; style-src 'self'") {
				t.Errorf("the policy is %s", policy)
			}
			if answer.Code != http.StatusOK && strings.Contains(answer.Body.String(), "system1") {
				t.Error("a refusal tells of the stack")
			}
		})
	}
}

var token = regexp.MustCompile(`name="token" value="([A-Z0-9]+)"`)

func (w *world) token() string {
	w.t.Helper()
	return token.FindStringSubmatch(w.get("/send"))[1]
}

// Events are sent after a confirmation, and not before.
func TestEventsAreSentAfterAConfirmation(t *testing.T) {
	w := newWorld(t)
	form := url.Values{"token": {w.token()}, "text": {trade("t-1", "x")}}
	asked := w.ask(w.request(http.MethodPost, "/send", form)).Body.String()
	if !strings.Contains(asked, "Send 1 event to ") {
		t.Errorf("it asks:\n%s", asked)
	}
	w.settled(0)
	form.Set("sure", "yes")
	if done := w.ask(w.request(http.MethodPost, "/send", form)).Body.String(); !strings.Contains(done, "1 event sent") {
		t.Errorf("it says:\n%s", done)
	}
	if rows := w.settled(1); rows[0].TradeID != "t-1" {
		t.Errorf("recorded is %v", rows)
	}
	form.Set("text", "no JSON")
	if done := w.ask(w.request(http.MethodPost, "/send", form)).Body.String(); !strings.Contains(done, "not JSON") {
		t.Errorf("of nonsense it says:\n%s", done)
	}
}

// A page of the list goes on where the one before ended: no trade is left out, none is there twice.
func TestPagesOfTradesJoin(t *testing.T) {
	w := newWorld(t)
	var entries []string
	const count = 130
	for i := range count {
		entries = append(entries, strings.Replace(trade("t-"+strconv.Itoa(i), "x"), "14:30:00Z", fmt.Sprintf("14:%02d:00Z", i/3), 1))
	}
	w.put(entries...)
	w.settled(count)
	seen := map[string]int{}
	link := regexp.MustCompile(`href="/trade\?id=(t-\d+)"`)
	next := regexp.MustCompile(`rel="next" href="([^"]+)"`)
	path, pages := "/trades?source=system1", 0
	for ; path != "" && pages < 9; pages++ {
		page := w.get(path)
		for _, found := range link.FindAllStringSubmatch(page, -1) {
			seen[found[1]]++
		}
		path = ""
		if further := next.FindStringSubmatch(page); further != nil {
			path = html.UnescapeString(further[1])
		}
	}
	for id, times := range seen {
		if times != 1 {
			t.Errorf("%s is there %d times", id, times)
		}
	}
	if len(seen) != count || pages != 3 {
		t.Errorf("%d trades on %d pages, want %d on 3", len(seen), pages, count)
	}
}

// Behind a page of the list are a few of each shard's trades, however many there are. MANY says how many, if it is to be measured.
func TestAPageOfManyTradesReadsFew(t *testing.T) {
	w := newWorld(t)
	many := 10_000
	if text := os.Getenv("MANY"); text != "" {
		many, _ = strconv.Atoi(text)
	}
	generator, err := sample.New(7, many)
	if err != nil {
		t.Fatal(err)
	}
	reader := generator.Reader()
	defer reader.Close() //nolint:errcheck // it only reads
	if err := w.Stack.Send(t.Context(), feed.FromReader("sample", reader), operate.Sending{AtOnce: 4}); err != nil {
		t.Fatal(err)
	}
	table, err := w.Cloud.Table(w.Stack.Outputs.Region, w.Stack.Outputs.TradeTableName)
	if err != nil {
		t.Fatal(err)
	}
	for table.Count() < many*9/10 { // some are duplicates, and some no trades
		time.Sleep(50 * time.Millisecond)
	}
	counted := &counting{HTTPClient: w.Server.Client()}
	w.Stack.Config.HTTPClient = counted
	for _, test := range []struct {
		path  string
		items int64 // at most, of ten in each shard and fifty more where those weren't enough
	}{
		{"/trades", 4*64*10 + 51*50}, {"/trades?source=system2", 64*10 + 51*50}, {"/trades?status=REJECTED", 64*10 + 51*50},
	} {
		counted.items.Store(0)
		began := time.Now()
		page := w.get(test.path)
		t.Logf("%s: %d items in %s", test.path, counted.items.Load(), time.Since(began))
		if rows := strings.Count(page, `href="/trade?id=`); rows < 50 || counted.items.Load() < 50 || counted.items.Load() > test.items {
			t.Errorf("%s: %d rows of %d items, want 50 of at most %d", test.path, rows, counted.items.Load(), test.items)
		}
	}
	for _, view := range views {
		began := time.Now()
		w.get(view)
		t.Logf("%s: %s", view, time.Since(began))
	}
}

// counting counts the items that queries return.
type counting struct {
	aws.HTTPClient
	items atomic.Int64
}

func (c *counting) Do(r *http.Request) (*http.Response, error) {
	answer, err := c.HTTPClient.Do(r)
	if err != nil || !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".Query") {
		return answer, err
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	var page struct{ Items []json.RawMessage }
	if err := json.Unmarshal(text, &page); err != nil {
		return nil, err
	}
	c.items.Add(int64(len(page.Items)))
	answer.Body = io.NopCloser(bytes.NewReader(text))
	return answer, nil
}

// The stream sends a view again and again, in lines that begin as they must.
func TestAViewIsSentAgain(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
	defer cancel()
	answer := w.ask(w.request(http.MethodGet, "/live/?span=3h", nil).WithContext(ctx))
	if got := answer.Header().Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("it is %s", got)
	}
	events := strings.Split(strings.TrimSpace(answer.Body.String()), "\n\n")
	for _, event := range events {
		for i, line := range strings.Split(event, "\n") {
			if i == 0 && line != "event: view" || i > 0 && !strings.HasPrefix(line, "data: ") {
				t.Errorf("line %d is %q", i, line)
			}
		}
	}
	if !strings.Contains(events[0], "All quiet") || !strings.Contains(events[0], `aria-current="true">3 hours`) {
		t.Errorf("the view is %s", events[0])
	}
}
