package queue

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"trade-processing/local/awsapi"
)

// A Draft is a message to send.
type Draft struct {
	Body        string
	TraceHeader string // the system attribute AWSTraceHeader
}

// A Message is a message as received.
type Message struct {
	ID          string
	Receipt     string // the receipt handle of this receive; empty for a message that was only listed
	Body        string
	BodyMD5     string // hex
	TraceHeader string
}

// stored is a message in a queue. Its fields have the names of an export.
type stored struct {
	ID          uuid.UUID `json:"id"`
	Body        string    `json:"body,omitempty"`
	TraceHeader string    `json:"traceHeader,omitempty"`
	Sent        int64     `json:"sent"`     // Unix nanoseconds
	Visible     int64     `json:"visible"`  // likewise: when it can be received
	Receives    int       `json:"receives"` // so far

	serial uint64 // in the order of arrival in this queue
}

func (m *stored) message(receipt string) Message {
	sum := md5.Sum([]byte(m.Body))
	return Message{ID: m.ID.String(), Receipt: receipt, Body: m.Body, BodyMD5: hex.EncodeToString(sum[:]), TraceHeader: m.TraceHeader}
}

// receipt returns the handle of the message's latest receive.
func (m *stored) receipt() string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%d %d %s", m.serial, m.Receives, m.ID))
}

// find looks up the message of a receipt handle; nil if it is gone or has been received again since.
func (q *Queue) find(handle string) (*stored, error) {
	var wanted stored
	text, err := base64.StdEncoding.DecodeString(handle)
	if err == nil {
		var id string
		if _, err = fmt.Sscanf(string(text), "%d %d %s", &wanted.serial, &wanted.Receives, &id); err == nil {
			wanted.ID, err = uuid.Parse(id)
		}
	}
	if err != nil {
		return nil, awsapi.Error("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
	}
	m, found := q.all.Get(&wanted)
	if !found || m.ID != wanted.ID || m.Receives != wanted.Receives {
		return nil, nil
	}
	return m, nil
}

// check refuses a draft that SQS would refuse.
func (d Draft) check() error {
	switch {
	case d.Body == "":
		return awsapi.Error("MissingParameter", "The request must contain the parameter MessageBody.")
	case len(d.Body) > maxSize:
		return awsapi.Error("InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", maxSize)
	case !utf8.ValidString(d.Body) || strings.ContainsFunc(d.Body, forbidden):
		return awsapi.Error("InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF")
	}
	return nil
}

// forbidden are most control characters, and two noncharacters.
func forbidden(r rune) bool {
	return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}
