package endpoint

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// An answer is made of strings, bools, ints, float64s, moments, objects, and lists of any of these; in JSON, of anything
// that encoding/json writes.
type object = map[string]any

// moment is a time in a request or an answer: seconds since 1970 in JSON, the same under a tag in CBOR.
type moment time.Time

// MarshalJSON writes milliseconds, as most of AWS's services do.
func (m moment) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, m.seconds(), 'f', 3, 64), nil
}

// UnmarshalJSON reads seconds.
func (m *moment) UnmarshalJSON(text []byte) error {
	var seconds float64
	if err := json.Unmarshal(text, &seconds); err != nil {
		return fmt.Errorf("reading a time: %w", err)
	}
	if seconds < 0 || seconds >= year10000 {
		return fmt.Errorf("%g is no time from 1970 to 9999", seconds)
	}
	*m = moment(time.UnixMilli(int64(math.Round(seconds * 1000))))
	return nil
}

func (m moment) seconds() float64 { return float64(time.Time(m).UnixMilli()) / 1000 }

const epochTag = 1 // https://www.rfc-editor.org/rfc/rfc8949.html#name-epoch-based-date-time

// toCBOR converts an answer.
func toCBOR(value any) cbor.Value {
	switch value := value.(type) {
	case object:
		members := cbor.Map{}
		for name, member := range value {
			if member != nil {
				members[name] = toCBOR(member)
			}
		}
		return members
	case []any:
		list := make(cbor.List, len(value))
		for i, element := range value {
			list[i] = toCBOR(element)
		}
		return list
	case string:
		return cbor.String(value)
	case bool:
		return cbor.Bool(value)
	case int:
		if value < 0 {
			return cbor.NegInt(uint64(-int64(value)))
		}
		return cbor.Uint(uint64(value))
	case float64:
		return cbor.Float64(value)
	case moment:
		return &cbor.Tag{ID: epochTag, Value: cbor.Float64(value.seconds())}
	}
	panic(fmt.Sprintf("an answer in CBOR has a %T", value))
}

// fromCBOR converts a request to what encoding/json writes.
func fromCBOR(value cbor.Value) (any, error) {
	switch value := value.(type) {
	case cbor.Map:
		members := object{}
		for name, member := range value {
			read, err := fromCBOR(member)
			if err != nil {
				return nil, err
			}
			members[name] = read
		}
		return members, nil
	case cbor.List:
		list := make([]any, len(value))
		for i, element := range value {
			read, err := fromCBOR(element)
			if err != nil {
				return nil, err
			}
			list[i] = read
		}
		return list, nil
	case *cbor.Tag:
		return fromCBOR(value.Value)
	case cbor.String:
		return string(value), nil
	case cbor.Bool:
		return bool(value), nil
	case cbor.Uint:
		return uint64(value), nil
	case cbor.NegInt:
		return -int64(value), nil
	case cbor.Float32:
		return finite(float64(value))
	case cbor.Float64:
		return finite(float64(value))
	case *cbor.Nil:
		return nil, nil
	}
	return nil, fmt.Errorf("a %T is not supported here", value)
}

func finite(number float64) (any, error) {
	if math.IsNaN(number) || math.IsInf(number, 0) {
		return nil, fmt.Errorf("%v is not supported here", number)
	}
	return number, nil
}
