package queue_test

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"trade-processing/local/clock"
	"trade-processing/local/queue"
)

// SQS's limits of a message, as properties of any body.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
func FuzzSend(f *testing.F) {
	for _, body := range []string{"", "x", "\t\n\r\ufffd\U0010ffff\U0001fffe", "\ufffe", "\uffff", "\x0b", "\x1f", "\x7f\u0085", "\xed\xa0\x80", strings.Repeat("é", 128<<10), strings.Repeat("é", 128<<10) + "x"} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		q := newQueue(t, named("q"), queue.Options{Clock: clock.NewVirtual(epoch)})
		_, err := q.Send(t.Context(), queue.Draft{Body: body})
		if taken := body != "" && len(body) <= 256<<10 && utf8.ValidString(body) && !strings.ContainsFunc(body, refused); taken != (err == nil) {
			t.Fatalf("%q: %v", body, err)
		}
		if err != nil {
			return
		}
		if got := receive(t, q, 1); len(got) != 1 || got[0].Body != body {
			t.Errorf("%q was received as %+v", body, got)
		}
	})
}

// refused are the characters that are not among #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to
// #x10FFFF.
func refused(r rune) bool {
	for _, taken := range [][2]rune{{0x9, 0x9}, {0xA, 0xA}, {0xD, 0xD}, {0x20, 0xD7FF}, {0xE000, 0xFFFD}, {0x10000, 0x10FFFF}} {
		if taken[0] <= r && r <= taken[1] {
			return false
		}
	}
	return true
}

// A receipt handle deletes the message that it came with, and no other text deletes any.
func FuzzReceiptHandle(f *testing.F) {
	for _, handle := range []string{"", "AAAA", "MSAxIDAwMDAwMDAwLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMA==", "LTEgMSB7fQ=="} {
		f.Add(handle)
	}
	f.Fuzz(func(t *testing.T, handle string) {
		q := newQueue(t, named("q"), queue.Options{Clock: clock.NewVirtual(epoch)})
		send(t, q, "a")
		right := receive(t, q, 1)[0].Receipt
		_ = q.Acknowledge(t.Context(), handle) // AWS too takes the handle of a message that is gone
		_ = q.ChangeVisibility(t.Context(), handle, time.Minute)
		if deleted := q.State().Depth() == 0; deleted != (handle == right) {
			t.Fatalf("%q deletes the message of %q", handle, right)
		}
	})
}

// Whatever file is imported, what is exported afterwards imports as the same.
func FuzzImport(f *testing.F) {
	f.Add([]byte(`{"id":"00000000-0000-4000-8000-000000000000","body":"a","sent":1767346200000000000,"visible":1767346260000000000,"receives":1}`))
	f.Add([]byte(`{"body":"a","sent":-9223372036854775808}`))
	f.Add([]byte(`{"body":"\uffff"}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		imported := func(text []byte) ([]byte, error) {
			q := newQueue(t, named("q"), queue.Options{Clock: clock.NewVirtual(epoch)})
			failed := q.Import(bytes.NewReader(text))
			var out bytes.Buffer
			if err := q.Export(&out); err != nil {
				t.Fatal(err)
			}
			return out.Bytes(), failed
		}
		first, err := imported(file)
		if err != nil && !strings.Contains(err.Error(), "importing queue q: message ") {
			t.Errorf("the error doesn't say where: %v", err)
		}
		if second, err := imported(first); err != nil || !bytes.Equal(second, first) {
			t.Errorf("%s was imported as %s, %v", first, second, err)
		}
	})
}
