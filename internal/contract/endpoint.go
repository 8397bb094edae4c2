package contract

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"

	"trade-processing/local/cloud"
)

// endpoint is the account's services over HTTP, in the JSON protocols of DynamoDB
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html) and SSM. It knows the two
// operations that the functions use, and refuses others.
type endpoint struct {
	services cloud.Services
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller is gone
	}
	var answer []byte
	switch target := r.Header.Get("X-Amz-Target"); target {
	case "DynamoDB_20120810.PutItem":
		answer, err = e.putItem(r.Context(), body)
	case "AmazonSSM.GetParametersByPath":
		answer, err = e.getParametersByPath(r.Context(), body)
	default:
		err = &smithy.GenericAPIError{Code: "UnknownOperationException", Message: fmt.Sprintf("%q is not known here", target), Fault: smithy.FaultClient}
	}
	if r.Context().Err() != nil {
		return
	}
	status := http.StatusOK
	if err != nil {
		status, answer = encodeError(err)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	// DynamoDB's clients expect it, and log a warning where it is missing.
	w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(answer)), 10))
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

func (e *endpoint) putItem(ctx context.Context, body []byte) ([]byte, error) {
	var in struct {
		TableName, ConditionExpression, ReturnValuesOnConditionCheckFailure string
		ExpressionAttributeNames                                            map[string]string
		Item                                                                json.RawMessage
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, malformed(err)
	}
	item, err := attributevalue.UnmarshalMapJSON(in.Item)
	if err != nil {
		return nil, malformed(err)
	}
	_, err = e.services.DynamoDB.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           aws.String(in.TableName),
		ConditionExpression:                 aws.String(in.ConditionExpression),
		ExpressionAttributeNames:            in.ExpressionAttributeNames,
		ReturnValuesOnConditionCheckFailure: dynamodbtypes.ReturnValuesOnConditionCheckFailure(in.ReturnValuesOnConditionCheckFailure),
		Item:                                item,
	})
	return []byte("{}"), err
}

func (e *endpoint) getParametersByPath(ctx context.Context, body []byte) ([]byte, error) {
	var in struct {
		Path, NextToken string
		WithDecryption  bool
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, malformed(err)
	}
	request := &ssm.GetParametersByPathInput{Path: aws.String(in.Path), WithDecryption: aws.Bool(in.WithDecryption)}
	if in.NextToken != "" {
		request.NextToken = aws.String(in.NextToken)
	}
	out, err := e.services.SSM.GetParametersByPath(ctx, request)
	if err != nil {
		return nil, err
	}
	type parameter struct{ Name, Type, Value string }
	answer := struct {
		Parameters []parameter
		NextToken  *string `json:",omitempty"`
	}{NextToken: out.NextToken}
	for _, p := range out.Parameters {
		answer.Parameters = append(answer.Parameters, parameter{aws.ToString(p.Name), string(p.Type), aws.ToString(p.Value)})
	}
	return json.Marshal(answer)
}

func malformed(err error) error {
	return &smithy.GenericAPIError{Code: "SerializationException", Message: err.Error(), Fault: smithy.FaultClient}
}

// encodeError writes an error of the SDK's as the service would.
func encodeError(err error) (status int, body []byte) {
	answer := map[string]any{"__type": "InternalServerError", "message": err.Error()}
	status = http.StatusInternalServerError
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		answer["__type"], answer["message"] = api.ErrorCode(), api.ErrorMessage()
		if api.ErrorFault() != smithy.FaultServer {
			status = http.StatusBadRequest
		}
	}
	if taken, ok := errors.AsType[*dynamodbtypes.ConditionalCheckFailedException](err); ok && taken.Item != nil {
		item, err := attributevalue.MarshalMapJSON(taken.Item)
		if err != nil {
			return encodeError(fmt.Errorf("writing the item that has the key: %w", err))
		}
		answer["Item"] = json.RawMessage(item)
	}
	body, _ = json.Marshal(answer) // texts and JSON always marshal
	return status, body
}
