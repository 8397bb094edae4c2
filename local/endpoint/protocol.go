package endpoint

import (
	"cmp"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/encoding/cbor"
)

// protocol reads requests and writes answers in the caller's protocol.
type protocol interface {
	// read returns the body of a request as JSON.
	read(r *http.Request, body []byte) ([]byte, error)
	answer(w http.ResponseWriter, value any)
	fail(w http.ResponseWriter, err error)
}

// The protocols of requests.
const (
	cborRequest  = "rpc-v2-cbor"
	jsonRequest  = "JSON"
	queryRequest = "query"
	restRequest  = "REST"
)

// served are the protocols that are served, by service, if it isn't JSON alone. The SDK for Go asks CloudWatch in CBOR,
// the AWS CLI in JSON.
var served = map[string]string{"sts": queryRequest, "iam": queryRequest, "sns": queryRequest, "ec2": queryRequest, "monitoring": cborRequest + " or " + jsonRequest, "xray": restRequest, "lambda": restRequest, "backup": restRequest}

func (c Call) protocol(contentType string) protocol {
	switch c.Protocol {
	case cborRequest:
		return rpcCBOR{}
	case queryRequest:
		return query{}
	case restRequest:
		if c.Service == "s3" { // whose answers are XML
			return restXML{}
		}
		return restJSON{jsonProtocol{contentType, false}, c.Service}
	default:
		return jsonProtocol{contentType, c.Service == "sqs"}
	}
}

// jsonProtocol is AWS's JSON in versions 1.0 and 1.1, and the REST one, whose answers differ in nothing that matters
// here.
// https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
type jsonProtocol struct {
	contentType string
	wasQuery    bool // clients know its errors by the codes that they had in the query protocol
}

// queryCodes are the codes that SQS's errors had in the query protocol, if they are different.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html#API_ReceiveMessage_Errors
var queryCodes = map[string]string{
	"QueueDoesNotExist":  "AWS.SimpleQueueService.NonExistentQueue",
	"MessageNotInflight": "AWS.SimpleQueueService.MessageNotInflight",
}

func (jsonProtocol) read(r *http.Request, body []byte) ([]byte, error) { return body, nil }

func (p jsonProtocol) answer(w http.ResponseWriter, value any) { p.write(w, http.StatusOK, value) }

func (p jsonProtocol) fail(w http.ResponseWriter, err error) {
	code, name, message := status(err)
	w.Header().Set("X-Amzn-ErrorType", name)
	if p.wasQuery { // https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait
		fault := "Sender"
		if code >= http.StatusInternalServerError {
			fault = "Receiver"
		}
		w.Header().Set("X-Amzn-Query-Error", cmp.Or(queryCodes[name], name)+";"+fault)
	}
	body := map[string]any{"__type": name, "message": message}
	if taken, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok && taken.Item != nil {
		body["Item"] = item(taken.Item)
	}
	p.write(w, code, body)
}

func (p jsonProtocol) write(w http.ResponseWriter, code int, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		code, text = http.StatusInternalServerError, []byte(`{"__type":"InternalFailure"}`)
	}
	w.Header().Set("Content-Type", p.contentType)
	w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(text)), 10)) // which DynamoDB's clients check
	w.WriteHeader(code)
	w.Write(text) //nolint:errcheck // the caller is gone
}

// rpcCBOR is Smithy's RPC v2 with CBOR.
// https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
type rpcCBOR struct{}

func (rpcCBOR) read(_ *http.Request, body []byte) ([]byte, error) {
	if len(body) == 0 {
		return []byte("{}"), nil
	}
	value, err := cbor.Decode(body)
	if err != nil {
		return nil, fmt.Errorf("reading CBOR: %w", err)
	}
	plain, err := fromCBOR(value)
	if err != nil {
		return nil, err
	}
	return json.Marshal(plain)
}

func (p rpcCBOR) answer(w http.ResponseWriter, value any) { p.write(w, http.StatusOK, toCBOR(value)) }

func (p rpcCBOR) fail(w http.ResponseWriter, err error) {
	code, name, message := status(err)
	p.write(w, code, cbor.Map{"__type": cbor.String(name), "message": cbor.String(message)})
}

func (rpcCBOR) write(w http.ResponseWriter, code int, value cbor.Value) {
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.Header().Set("Content-Type", "application/cbor")
	w.WriteHeader(code)
	w.Write(cbor.Encode(value)) //nolint:errcheck // the caller is gone
}

// query is the protocol of forms and XML.
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
type query struct{}

func (query) read(_ *http.Request, body []byte) ([]byte, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fmt.Errorf("reading a form: %w", err)
	}
	members := map[string]any{}
	for name := range form {
		if name != "Action" && name != "Version" {
			if err := place(members, strings.Split(name, "."), form.Get(name)); err != nil {
				return nil, fmt.Errorf("reading %s: %w", name, err)
			}
		}
	}
	return json.Marshal(listed(members))
}

// place puts a value where its path leads, such as Tags.member.1.Key.
func place(members map[string]any, path []string, value string) error {
	for _, name := range path[:len(path)-1] {
		inside, is := members[name].(map[string]any)
		if !is && members[name] != nil {
			return errors.New("another member is inside it, or around it")
		}
		if !is {
			inside = map[string]any{}
			members[name] = inside
		}
		members = inside
	}
	last := path[len(path)-1]
	if members[last] != nil {
		return errors.New("another member is inside it, or around it")
	}
	members[last] = value
	return nil
}

// listed makes a list of what is under a "member", in the order of its numbers.
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#collections
func listed(value any) any {
	members, is := value.(map[string]any)
	if !is {
		return value
	}
	elements, is := members["member"].(map[string]any)
	if !is || len(members) > 1 {
		for name, inside := range members {
			members[name] = listed(inside)
		}
		return members
	}
	number := func(text string) int {
		n, _ := strconv.Atoi(text) // what is no number comes first
		return n
	}
	list := make([]any, 0, len(elements))
	for _, at := range slices.SortedFunc(maps.Keys(elements), func(a, b string) int { return cmp.Or(cmp.Compare(number(a), number(b)), strings.Compare(a, b)) }) {
		list = append(list, listed(elements[at]))
	}
	return list
}

func (query) answer(w http.ResponseWriter, value any) { writeXML(w, http.StatusOK, value) }

func (query) fail(w http.ResponseWriter, err error) {
	code, name, message := status(err)
	writeXML(w, code, struct {
		XMLName xml.Name `xml:"ErrorResponse"`
		Code    string   `xml:"Error>Code"`
		Message string   `xml:"Error>Message"`
	}{Code: name, Message: message})
}

func writeXML(w http.ResponseWriter, code int, value any) {
	text, err := xml.Marshal(value)
	if err != nil {
		code, text = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(code)
	w.Write(text) //nolint:errcheck // the caller is gone
}

// restXML is S3's protocol, of which only refusals are needed.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
type restXML struct{ query }

func (restXML) fail(w http.ResponseWriter, err error) {
	code, name, message := status(err)
	writeXML(w, code, struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
	}{Code: name, Message: message})
}

// formValue returns a value of a form; empty if there is none.
func formValue(body []byte, name string) string {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return ""
	}
	return form.Get(name)
}
