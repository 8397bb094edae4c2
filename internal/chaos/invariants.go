package chaos

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"trade-processing/internal/localrun"
	"trade-processing/internal/operate"
	"trade-processing/lambdas/recorder"
	"trade-processing/local/cloud"
	"trade-processing/local/endpoint"
	"trade-processing/local/table"
)

// The invariants, by the names that violations begin with.
const (
	places   = "places"   // every accepted event ends in one place, and what isn't an event is nowhere
	archive  = "archive"  // every event that the bus could keep is in the archive, once, and a replay brings it home
	contents = "contents" // what is recorded is what was sent, under its own source
	records  = "records"  // no record changes
	digests  = "digests"  // one digest, one content
	found    = "found"    // `tradectl get` finds what is recorded
	letters  = "letters"  // a letter has its event whole, which yields its trade when redriven after the fault
	alarms   = "alarms"   // alarms went off for what they promise, and for nothing else
	replicas = "replicas" // all replicas end with the same items
	bounds   = "bounds"   // retries stay within their bounds
	saved    = "saved"    // what is saved is what is loaded, or nothing
	isolated = "isolated" // what no fault touched goes its way as if there were none
)

// violate records that a promise was broken; the first of each kind are enough.
func (w *world) violate(invariant, format string, args ...any) {
	w.violations = append(w.violations, invariant+": "+fmt.Sprintf(format, args...))
	w.say("VIOLATION %s", w.violations[len(w.violations)-1])
}

// item is a record as the table has it.
type item struct {
	key, text, trade, digest, tradeID, source, status, eventID string
}

// items lists a table's items in order of their keys.
func (w *world) items(of *table.Table) []item {
	var all []item
	for attributes := range of.Items() {
		text, err := localrun.ItemJSON(attributes)
		if err != nil {
			w.violate(contents, "an item can't be read: %v", err)
		}
		i := item{text: string(text)}
		for name, to := range map[string]*string{
			"trade": &i.trade, "digest": &i.digest, "tradeId": &i.tradeID, "status": &i.status, "eventId": &i.eventID,
		} {
			*to = table.Text(attributes, name)
		}
		i.eventID = recorder.EventID(i.eventID, table.Text(attributes, "execution"))
		version := table.Text(attributes, "version")
		i.source, _, _ = strings.Cut(version, "#")
		i.key = i.tradeID + " " + version
		all = append(all, i)
	}
	return all
}

func (w *world) primary() []item {
	found, err := w.cloud.Table(w.region, w.table)
	if err != nil {
		w.violate(places, "%v", err)
		return nil
	}
	return w.items(found)
}

// same reports whether two JSON texts have the same content.
func same(a, b string) bool {
	var x, y any
	return a == b || json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// look checks the items as they are now: those seen before are as they were, and each is a trade that was sent.
func (w *world) look() {
	now, content := map[string]item{}, map[string]string{}
	for _, i := range w.primary() {
		now[i.key] = i
		if sum := sha256.Sum256([]byte(i.trade)); hex.EncodeToString(sum[:]) != i.digest {
			w.violate(digests, "%s: %s isn't the digest of %s", i.key, i.digest, i.trade)
		}
		if other, known := content[i.digest]; known && other != i.trade {
			w.violate(digests, "%s stands for %s and for %s", i.digest, other, i.trade)
		}
		content[i.digest] = i.trade
		if !slices.ContainsFunc(w.events, func(e *event) bool { return e.is(i) && (!e.sent || e.id == i.eventID) }) {
			w.violate(contents, "nobody sent %s", i.text)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(w.seen)) {
		was, is := w.seen[key], now[key]
		if is.text != was.text && !(w.replaced[key] && is.trade == was.trade) {
			w.violate(records, "%s was %s and is %s", key, was.text, is.text)
		}
	}
	w.seen = now
}

// is reports whether an item is the event's trade.
func (e *event) is(i item) bool {
	return e.trade == i.tradeID && e.source == i.source && e.status == i.status && same(e.detail, i.trade)
}

// letter is a message in a dead-letter queue.
type letter struct {
	queue, body string
	event       string // JSON; empty if the letter only names its event
	id          string // of the event
	error       string
}

func (w *world) letters() []letter {
	var all []letter
	for _, name := range slices.Sorted(maps.Keys(w.cloud.QueueDepths(w.region))) {
		queue, err := w.cloud.Queue(w.region, name)
		if err != nil {
			continue
		}
		for message := range queue.Messages() {
			l := letter{queue: name, body: message.Body, event: message.Body}
			if inner := gjson.Get(message.Body, "event"); inner.Exists() {
				l.event, l.error = inner.Raw, field(message.Body, "error.Error")
			}
			l.id = field(l.event, "id")
			if !gjson.Get(l.event, "detail").Exists() {
				l.event = ""
			}
			all = append(all, l)
		}
	}
	return all
}

// place says where an event is: in the table, in a queue, or only in the history of a failed execution.
type place struct {
	item    *item
	letters []letter
	stopped bool // from outside
	// unkept says that an execution failed and no queue took a letter, or that EventBridge gave up and no queue took
	// the event. It is in the archive, from where redrive replays it. Only an event that the bus couldn't encrypt isn't,
	// and ends so without an alarm: EventBridge has no metric for a bus's own queue.
	unkept bool
}

func (w *world) place(e *event, items []item, all []letter) place {
	var p place
	if at := slices.IndexFunc(items, e.is); at >= 0 {
		p.item = &items[at]
	}
	for _, l := range all {
		if l.id == e.id {
			p.letters = append(p.letters, l)
		}
	}
	for _, o := range e.outcomes {
		p.stopped = p.stopped || o.stopped
		p.unkept = p.unkept || o.failure != "" && !o.stopped && o.kept == 0
	}
	return p
}

// beaten reports whether the other trade with the event's key is recorded, so that this one can't be.
func (w *world) beaten(e *event, items []item) bool {
	return slices.ContainsFunc(w.events, func(o *event) bool {
		return o.key == e.key && !same(o.detail, e.detail) && slices.ContainsFunc(items, o.is)
	})
}

// checkPlaces checks where every event is after the faults.
func (w *world) checkPlaces(ctx context.Context) {
	items, all := w.primary(), w.letters()
	for _, l := range all {
		e := w.byID(l.id)
		switch {
		case e == nil:
			w.violate(places, "nobody sent what %s has: %s", l.queue, l.body)
		case l.event != "" && !same(l.event, e.document) && e.document != "" || l.event != "" && !same(gjson.Get(l.event, "detail").Raw, e.detail):
			w.violate(letters, "%s has event %d as %s, and it was %s", l.queue, e.number, l.event, e.document)
		case strings.Contains(l.queue, "-delivery-") && l.queue != w.prefix+"delivery-"+fmt.Sprint(1+slices.Index(sources, e.source))+"-dead-letters":
			w.violate(places, "%s has event %d of %s", l.queue, e.number, e.source)
		}
	}
	stack := w.operated()
	for _, e := range w.events {
		if !e.sent {
			continue
		}
		p := w.place(e, items, all)
		if p.item != nil {
			w.checkFound(ctx, stack, e)
		}
		where := fmt.Sprintf("event %d (%s, %d letters, touched %v, ended as %+v)", e.number, e.detail, len(p.letters), e.touched, e.outcomes)
		if e.source == unmatched {
			if len(e.outcomes) > 0 && !w.hit["bus can't use its key"] {
				w.violate(places, "%s: no rule matches it", where)
			}
			continue
		}
		if p.item == nil && len(p.letters) == 0 && !p.stopped && !p.unkept {
			w.violate(places, "%s is nowhere", where)
		}
		if p.item == nil && len(p.letters) == 0 && !p.stopped && !w.hit["queue refuses"] && !w.hit["queue slow"] && !w.hit["key disabled"] {
			w.violate(places, "%s was kept by no queue, though each took letters", where)
		}
		for _, o := range e.outcomes {
			if digest := field(o.answer, "digest"); o.failure == "" && (p.item == nil || p.item.digest != digest) {
				w.violate(places, "%s was answered as %s, and is not in the table", where, o.answer)
			}
		}
		if !e.touched && !w.hit["parameters unreadable"] {
			w.checkUntouched(e, p, items, where)
		}
	}
	w.checkBounds()
}

// operated returns the stack as operators' commands see it: over AWS's protocols.
func (w *world) operated() *operate.Stack {
	return &operate.Stack{Outputs: w.outputs, Config: endpoint.New(w.cloud, nil).Config(w.region)}
}

// checkFound checks that a recorded event is found by its trade's id, as it was sent.
func (w *world) checkFound(ctx context.Context, stack *operate.Stack, e *event) {
	trade, err := stack.Trade(ctx, operate.TradeQuery{TradeID: e.trade})
	if err != nil {
		w.violate(found, "event %d: %v", e.number, err)
		return
	}
	if !slices.ContainsFunc(trade.Versions, func(v operate.Version) bool {
		return v.Source() == e.source && v.Status == e.status && v.DigestIsRight && same(v.Trade, e.detail)
	}) {
		w.violate(found, "event %d isn't among the versions of %s: %+v", e.number, e.trade, trade.Versions)
	}
}

// checkUntouched checks that an event whose calls no fault hit went its way.
func (w *world) checkUntouched(e *event, p place, items []item, where string) {
	recorded := p.item != nil && len(p.letters) == 0
	refused := len(p.letters) > 0 && slices.ContainsFunc(p.letters, func(l letter) bool { return l.error == "MalformedTrade" }) == e.dead
	switch {
	case e.dead && (!refused || p.item != nil), !e.dead && !recorded && !(refused && w.beaten(e, items)):
		w.violate(isolated, "%s went another way", where)
	case len(e.outcomes) != 1:
		w.violate(isolated, "%s was delivered %d times", where, len(e.outcomes))
	}
	for _, name := range []string{"validator", "enricher", "recorder"} {
		for call, times := range w.calls {
			if times > 1 && strings.HasPrefix(call, fmt.Sprintf("lambda Invoke %s%s %d ", w.prefix, name, e.number)) {
				w.violate(isolated, "%s: the %s was called %d times", where, name, times)
			}
		}
	}
}

func (w *world) byID(id string) *event {
	for _, e := range w.events {
		if e.sent && e.id == id {
			return e
		}
	}
	return nil
}

// The bounds, for one event or one execution: what the definition of the workflow and of its rules promises.
var most = map[string]int{
	"lambda Invoke":         1 + 3 + 6,         // maxRetries, and the retries of a function that isn't ready
	"sqs SendMessage":       1 + 4 + 1 + 1 + 1, // the letter, and twice the one that names its event
	"states StartExecution": 1 + 185,
}

// reserved is the recorder's concurrency in a run: few trades reach it.
const reserved = 30

func (w *world) checkBounds() {
	if w.peak > reserved {
		w.violate(bounds, "%d calls of the recorder ran at once, and %d may", w.peak, reserved)
	}
	for _, call := range slices.Sorted(maps.Keys(w.calls)) {
		for operation, limit := range most {
			if times := w.calls[call]; strings.HasPrefix(call, operation) && times > limit {
				w.violate(bounds, "%s: %d times, and at most %d are due", call, times, limit)
			}
		}
	}
}

// checkAlarms compares the alarms that went off with what happened.
func (w *world) checkAlarms() {
	w.cloud.EvaluateAlarms()
	off := map[string]bool{}
	for _, change := range w.cloud.EvaluateAlarms() {
		off[strings.TrimPrefix(change.Alarm, w.prefix)] = true
	}
	w.say("alarms %v", slices.Sorted(maps.Keys(off)))
	must, may := w.due()
	for _, name := range slices.Sorted(maps.Keys(must)) {
		if must[name] && !off[name] {
			w.violate(alarms, "%s did not go off", name)
		}
	}
	paging := false
	for _, name := range slices.Sorted(maps.Keys(off)) {
		if name != "page" && !must[name] && !may[name] {
			w.violate(alarms, "%s went off for nothing", name)
		}
		quiet := strings.HasSuffix(name, "-errors") || strings.HasSuffix(name, "-invocations") || strings.HasPrefix(name, "duplicates")
		paging = paging || must[name] && !quiet
	}
	if paging && !off["page"] {
		w.violate(alarms, "nobody was paged")
	}
}

// due returns the alarms that must have gone off, and those that may have.
func (w *world) due() (must, may map[string]bool) {
	must, may = map[string]bool{}, map[string]bool{}
	depths := w.cloud.QueueDepths(w.region)
	for queue, depth := range depths {
		if name := strings.TrimPrefix(queue, w.prefix); depth > 0 {
			must[name+"-depth"], may[name+"-age"] = true, true
		}
	}
	for _, e := range w.events {
		if e.status == recorder.Rejected && e.touched { // the recorder may have answered what nobody heard
			may["duplicates-of-rejected"] = true
		}
		for _, o := range e.outcomes {
			switch {
			case o.stopped && o.failure == cloud.Aborted:
				must["workflow-aborted"] = true
			case o.stopped:
				must["workflow-timed-out"] = true
			case o.execution && o.failure != "":
				must["workflow-failed"] = true
				if o.kept == 0 {
					must["workflow-unkept"] = true
				}
			case !o.execution && o.failure != busFailure:
				must["from-"+e.source+"-failed-invocations"] = true
				if o.kept == 0 {
					must["from-"+e.source+"-lost"] = true
				}
			case field(o.answer, "outcome") == recorder.OutcomeDuplicateRejected:
				// A function's own metric has the time of the function's clock: if that is off, the alarm looks
				// elsewhere (seed 1667).
				may["duplicates-of-rejected"] = true
				must["duplicates-of-rejected"] = must["duplicates-of-rejected"] || !w.hit[skewed]
			}
		}
	}
	for _, name := range []string{"validator", "enricher", "recorder"} {
		if w.failed[name] > 0 {
			must[name+"-errors"] = true
		}
		may[name+"-p99"] = w.slow[name]
		may[name+"-throttles"] = w.slow[name] // slow calls fill the reserved concurrency (seed 12935)
		may[name+"-stale-parameters"] = w.hit["parameters unreadable"]
	}
	may["workflow-unkept"] = w.hit["queue refuses"] || w.hit["queue slow"] || w.hit["queue's answer lost"] || w.hit["key disabled"]
	may["late"] = true       // faults delay trades, and few are enough
	may["rejections"] = true // their share of few trades is anything
	may["trades-system-errors"] = w.hit["table broken"] || w.hit["table's answer lost"] || w.hit["reads broken"]
	may["trades-write-throttles"] = w.hit["table throttled"]
	for _, replica := range w.cloud.Replicas(w.table) {
		lagging := w.hit[cutOff] || w.hit[replicaWrites]
		may["trades-replication-"+replica.Region], may["trades-replication-stalled-"+replica.Region] = lagging, lagging
	}
	return must, may
}

// busFailure is how an event fails that the bus can't encrypt.
const busFailure = "KmsAccessDeniedException"

// redrive starts the workflow again with the event of each letter, replays from the archive that of each execution that was
// stopped or kept nothing, and expects every trade in the table that can be there.
func (w *world) redrive(ctx context.Context) {
	items, all := w.primary(), w.letters()
	var ended []chan struct{}
	archived := w.archived(ctx)
	for _, e := range w.events {
		again, there := archived[e.id]
		if e.sent && !there && !w.hit["bus can't use its key"] {
			w.violate(archive, "event %d is not there", e.number)
		}
		p := w.place(e, items, all)
		if !e.sent || e.source == unmatched || len(p.letters) == 0 && !p.stopped && !p.unkept {
			continue // no rule ever started the workflow with an unmatched one
		}
		if there && len(p.letters) == 0 {
			ended = append(ended, w.task(func() {
				receipt, err := w.cloud.Deliver(ctx, again)
				if err != nil || len(receipt.Deliveries) != 1 {
					w.violate(archive, "event %d is replayed as %+v: %v", e.number, receipt, err)
				}
				for _, delivery := range receipt.Deliveries {
					e.ended(delivery)
				}
				w.say("replayed event %d: %+v", e.number, e.outcomes[len(e.outcomes)-1])
			}))
			continue
		}
		document := e.document // what not even the archive has, the source sends again
		for _, l := range p.letters {
			if l.event != "" {
				document = l.event
			}
		}
		ended = append(ended, w.task(func() {
			delivery, err := w.cloud.StartExecution(ctx, w.machine, "", []byte(document))
			if err != nil {
				w.violate(letters, "event %d can't be redriven: %v", e.number, err)
			}
			e.ended(delivery)
			w.say("redriven event %d: %+v", e.number, e.outcomes[len(e.outcomes)-1])
		}))
	}
	for _, each := range ended {
		w.clock.Wait(each)
	}
	items = w.primary()
	for _, e := range w.events {
		if e.sent && e.status != "" && w.place(e, items, nil).item == nil && !w.beaten(e, items) {
			w.violate(letters, "event %d (%s) is not in the table after its redrive: %+v", e.number, e.detail, e.outcomes)
		}
	}
}

// archived returns what a replay of everything would send, by the events' ids: each once.
func (w *world) archived(ctx context.Context) map[string]*cloud.Accepted {
	found := map[string]*cloud.Accepted{}
	for _, r := range w.cloud.Resources() {
		if r.Type != "aws:cloudwatch/eventArchive:EventArchive" {
			continue
		}
		arn, _ := r.Outputs["arn"].(string)
		bus, _ := r.Inputs["eventSourceArn"].(string)
		whole := cloud.Replay{Region: r.Region, Name: r.ID, Archive: arn, Bus: bus, From: begin, To: w.clock.Now().Add(time.Second)}
		if _, err := w.cloud.StartReplay(whole, func(_ context.Context, a *cloud.Accepted) error {
			if found[a.ID] != nil {
				w.violate(archive, "event %s is there twice", a.ID)
			}
			found[a.ID] = a
			return nil
		}); err != nil {
			w.violate(archive, "it can't be replayed: %v", err)
			return nil
		}
		for w.cloud.Replays(r.Region)[0].Ended.IsZero() {
			_ = w.clock.Sleep(ctx, time.Second)
		}
	}
	return found
}

// checkReplicas expects the same items everywhere, soon after the last fault.
func (w *world) checkReplicas(ctx context.Context) {
	_ = w.clock.Sleep(ctx, time.Minute)
	here := w.primary()
	for _, replica := range w.cloud.Replicas(w.table) {
		if there := w.items(replica.Table); !slices.Equal(here, there) {
			w.violate(replicas, "%d items here, and %d others in %s", len(here), len(there), replica.Region)
		}
	}
}

// saving is how many seeds there are for one that saves.
const saving = 8

// checkSaved saves the cloud on a disk that fails and on one that doesn't, and loads what a killed process leaves and
// what a finished one does. Every eighth seed does it, because it takes as long as the rest of the run.
func (w *world) checkSaved(ctx context.Context) {
	if w.options.Seed%saving != 0 {
		return
	}
	var whole bytes.Buffer
	if err := w.cloud.Save(ctx, &whole); err != nil {
		w.violate(saved, "%v", err)
		return
	}
	cut := int(roll(w.options.Seed, "cut") * float64(whole.Len()))
	if err := w.cloud.Save(ctx, &disk{room: cut}); err == nil {
		w.violate(saved, "a disk with room for %d of %d bytes took everything", cut, whole.Len())
	}
	written := whole.Bytes()
	torn, again := w.empty(), w.empty()
	defer torn.Close()  //nolint:errcheck // it is in memory
	defer again.Close() //nolint:errcheck // likewise
	if err := torn.Load(bytes.NewReader(written), int64(cut)); err == nil {
		w.violate(saved, "%d of %d bytes could be loaded", cut, len(written))
	}
	if w.options.Sabotage.Saved != nil {
		w.options.Sabotage.Saved(written)
	}
	if err := again.Load(bytes.NewReader(written), int64(len(written))); err != nil {
		w.violate(saved, "what was saved can't be loaded: %v", err)
		return
	}
	before, lettersBefore := w.primary(), w.letters()
	w.cloud = again
	if !slices.Equal(before, w.primary()) || !slices.Equal(lettersBefore, w.letters()) {
		w.violate(saved, "other records or letters were loaded than saved")
	}
}

// disk is full after so many bytes.
type disk struct{ room int }

// Write writes as much as there is room for.
func (d *disk) Write(p []byte) (int, error) {
	n := min(len(p), d.room)
	if d.room -= n; n < len(p) {
		return n, errors.New("no space left on device")
	}
	return n, nil
}
