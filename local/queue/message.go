package queue

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"trade-processing/local/awsapi"
)

// A Draft is a message to send.
type Draft struct {
	Body        string
	TraceHeader string // the system attribute AWSTraceHeader
	Attributes  map[string]string
}

// A Message is a message as received.
type Message struct {
	ID          string
	Receipt     string // the receipt handle of this receive; empty for a message that was only listed
	Body        string
	BodyMD5     string // hex
	TraceHeader string
	Attributes  map[string]string
	Sent        time.Time
	First       time.Time // when it was first received
	Receives    int
}

// stored is a message in a queue. Its fields have the names of an export.
type stored struct {
	ID          uuid.UUID         `json:"id"`
	Body        string            `json:"body,omitempty"`
	TraceHeader string            `json:"traceHeader,omitempty"`
	Attributes  map[string]string `json:"attributes,omitempty"`
	Sent        int64             `json:"sent"`            // Unix nanoseconds
	Visible     int64             `json:"visible"`         // likewise: when it can be received
	First       int64             `json:"first,omitempty"` // likewise: when it was first received
	Receives    int               `json:"receives"`        // so far

	serial uint64 // in the order of arrival in this queue
}

func (m *stored) message(receipt string) Message {
	sum := md5.Sum([]byte(m.Body))
	return Message{ID: m.ID.String(), Receipt: receipt, Body: m.Body, BodyMD5: hex.EncodeToString(sum[:]), TraceHeader: m.TraceHeader,
		Attributes: m.Attributes, Sent: time.Unix(0, m.Sent), First: time.Unix(0, m.First), Receives: m.Receives}
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

// size is what a message counts towards the largest: its attributes too.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
func (d Draft) size() int {
	size := len(d.Body)
	for name, value := range d.Attributes {
		size += len(name) + len(stringType) + len(value)
	}
	return size
}

// stringType is the type of all attributes here.
const stringType = "String"

// AttributesMD5 is what SQS answers about attributes; empty if there are none.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation
func AttributesMD5(attributes map[string]string) string {
	if len(attributes) == 0 {
		return ""
	}
	var text []byte
	part := func(one string) { text = append(binary.BigEndian.AppendUint32(text, uint32(len(one))), one...) }
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		part(name)
		part(stringType)
		text = append(text, 1) // a string's value follows
		part(attributes[name])
	}
	sum := md5.Sum(text)
	return hex.EncodeToString(sum[:])
}

// check refuses a draft that SQS would refuse.
func (d Draft) check() error {
	switch {
	case d.Body == "":
		return awsapi.Error("MissingParameter", "The request must contain the parameter MessageBody.")
	case len(d.Attributes) > maxBatch:
		return awsapi.Error("InvalidParameterValue", "Number of message attributes [%d] exceeds the allowed maximum [10].", len(d.Attributes))
	case d.size() > maxSize:
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
