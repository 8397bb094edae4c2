package queue

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/aws/smithy-go"
	"github.com/google/uuid"
)

// A Draft is a message to send.
type Draft struct {
	Body       string
	Attributes map[string]Attribute
	// Delay replaces the queue's own; nil keeps it.
	Delay *time.Duration
	// TraceHeader is the system attribute AWSTraceHeader.
	TraceHeader string
}

// An Attribute is a message attribute of type String or Number, or of a custom type of these such as Number.int.
type Attribute struct {
	DataType string
	Value    string
}

// A Message is a message as a receiver gets it.
type Message struct {
	ID string
	// Receipt is the receipt handle of this receive; empty for a message that was only looked at.
	Receipt    string
	Body       string
	BodyMD5    string // hex
	Attributes map[string]Attribute
	// TraceHeader, Sent, FirstReceived, Receives and DeadLetterSource are the system attributes AWSTraceHeader,
	// SentTimestamp, ApproximateFirstReceiveTimestamp, ApproximateReceiveCount and DeadLetterQueueSourceArn.
	TraceHeader         string
	Sent, FirstReceived time.Time
	Receives            int
	DeadLetterSource    string
}

// stored is a message in a queue.
type stored struct {
	serial     uint64 // in the order of arrival in this queue
	id         uuid.UUID
	body       string
	attributes map[string]Attribute
	trace      string
	source     string // the queue that a redrive brought it from
	sent       int64  // Unix nanoseconds, also of the times below
	arrived    int64
	visible    int64 // from when on it can be received
	received   int64 // first
	receives   int
}

func (m *stored) message(receipt string) Message {
	sum := md5.Sum([]byte(m.body))
	message := Message{
		ID: m.id.String(), Receipt: receipt, Body: m.body, BodyMD5: hex.EncodeToString(sum[:]),
		Attributes: m.attributes, TraceHeader: m.trace, Sent: time.Unix(0, m.sent),
		Receives: m.receives, DeadLetterSource: m.source,
	}
	if m.receives > 0 {
		message.FirstReceived = time.Unix(0, m.received)
	}
	return message
}

// receipt makes the handle of the message's latest receive.
func (m *stored) receipt() string {
	b := binary.AppendUvarint(nil, m.serial)
	b = binary.AppendUvarint(b, uint64(m.receives))
	b = append(b, m.id[:]...)
	return base64.StdEncoding.EncodeToString(b)
}

type receipt struct {
	serial   uint64
	receives int
	id       uuid.UUID
}

func parseReceipt(handle string) (receipt, error) {
	var r receipt
	b, err := base64.StdEncoding.DecodeString(handle)
	if err == nil {
		var n, m int
		var receives uint64
		r.serial, n = binary.Uvarint(b)
		if n > 0 {
			receives, m = binary.Uvarint(b[n:])
		}
		if n > 0 && m > 0 && len(b) == n+m+len(r.id) {
			r.receives = int(receives)
			copy(r.id[:], b[n+m:])
			return r, nil
		}
	}
	return r, apiError("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
}

// check refuses a draft that SQS would refuse.
func (d Draft) check(def Definition) error {
	if d.Body == "" {
		return apiError("MissingParameter", "The request must contain the parameter MessageBody.")
	}
	if d.Delay != nil && (*d.Delay < 0 || *d.Delay > maxDelay) {
		return apiError("InvalidParameterValue", "Value for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.")
	}
	if len(d.Attributes) > maxAttributes {
		return apiError("InvalidParameterValue", "Number of message attributes exceeds the allowed maximum 10.")
	}
	size := len(d.Body)
	for name, attribute := range d.Attributes {
		size += len(name) + len(attribute.DataType) + len(attribute.Value)
		if err := attribute.check(name); err != nil {
			return err
		}
	}
	if size > def.MaxMessageSize {
		return apiError("InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", def.MaxMessageSize)
	}
	if !permitted(d.Body) {
		return apiError("InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF")
	}
	return nil
}

func (a Attribute) check(name string) error {
	switch {
	case name == "":
		return apiError("InvalidParameterValue", "The message attribute name must not be empty.")
	case !isType(a.DataType, "String") && !isType(a.DataType, "Number"):
		return apiError("UnsupportedOperation", "The local queue does not support the type %q of the message attribute %q, only String and Number.", a.DataType, name)
	case a.Value == "":
		return apiError("InvalidParameterValue", "The message attribute '%s' must contain a non-empty message attribute value.", name)
	case !permitted(a.Value):
		return apiError("InvalidMessageContents", "Invalid characters found in the message attribute '%s'.", name)
	}
	return nil
}

func isType(dataType, base string) bool {
	return dataType == base || len(dataType) > len(base) && dataType[:len(base)+1] == base+"."
}

// permitted tells whether SQS takes a text: Unicode without most control characters.
func permitted(text string) bool {
	for i, r := range text {
		switch {
		case r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r < utf8.RuneError || r >= 0x10000:
		case r == utf8.RuneError:
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// apiError is an error as the SDK's client would return it, before wrapping.
func apiError(code, format string, args ...any) error {
	return &smithy.GenericAPIError{Code: code, Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}
