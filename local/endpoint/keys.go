package endpoint

import (
	"context"
	"strings"
	"time"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
)

const keyType = "aws:kms/key:Key"

var keyOperations = map[string]operation{
	"DescribeKey": serve((*Endpoint).describeKey), "GetKeyRotationStatus": serve((*Endpoint).getKeyRotationStatus),
	"EnableKey": serve((*Endpoint).enableKey), "CancelKeyDeletion": serve((*Endpoint).cancelKeyDeletion),
	"RotateKeyOnDemand": serve((*Endpoint).rotateKeyOnDemand), "ListKeyRotations": serve((*Endpoint).listKeyRotations),
}

// onKey names a key in a request.
type onKey struct {
	KeyID string `json:"KeyId"`
}

// key finds a key, or a replica of one, by its id, its ARN or an alias.
func (e *Endpoint) key(region, name string) (*cloud.Resource, error) {
	wanted := name
	if strings.HasPrefix(wanted, "arn:") {
		wanted = wanted[strings.LastIndex(wanted, ":")+1:]
	}
	if alias, found := e.cloud.Read("aws:kms/alias:Alias", region, wanted); found {
		wanted = text(alias.Inputs, "targetKeyId")
	}
	wanted = wanted[strings.LastIndex(wanted, "/")+1:]
	for _, typ := range []string{keyType, "aws:kms/replicaKey:ReplicaKey"} {
		if found, there := e.cloud.Read(typ, region, wanted); there {
			return found, nil
		}
	}
	return nil, awsapi.Error("NotFoundException", "Key '%s' does not exist", name)
}

// describeKey serves https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html
func (e *Endpoint) describeKey(_ context.Context, region string, in onKey) (any, error) {
	found, err := e.key(region, in.KeyID)
	if err != nil {
		return nil, err
	}
	return object{"KeyMetadata": object{
		"AWSAccountId": cloud.Account, "KeyId": found.ID, "Arn": found.Outputs["arn"], "CreationDate": moment(e.began), "Enabled": true,
		"Description": found.Inputs["description"], "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": "Enabled", "Origin": "AWS_KMS", "KeyManager": "CUSTOMER",
		"KeySpec": "SYMMETRIC_DEFAULT", "MultiRegion": strings.HasPrefix(found.ID, "mrk-"),
	}}, nil
}

func (e *Endpoint) getKeyRotationStatus(_ context.Context, region string, in onKey) (any, error) {
	found, err := e.key(region, in.KeyID)
	if err != nil {
		return nil, err
	}
	return object{"KeyId": found.ID, "KeyRotationEnabled": found.Inputs["enableKeyRotation"] == true}, nil
}

// enableKey has nothing to do: no key is disabled here, but by a fault.
func (e *Endpoint) enableKey(_ context.Context, region string, in onKey) (any, error) {
	_, err := e.key(region, in.KeyID)
	return object{}, err
}

// cancelKeyDeletion serves https://docs.aws.amazon.com/kms/latest/APIReference/API_CancelKeyDeletion.html
func (e *Endpoint) cancelKeyDeletion(_ context.Context, region string, in onKey) (any, error) {
	found, err := e.key(region, in.KeyID)
	if err != nil {
		return nil, err
	}
	return nil, awsapi.Error("KMSInvalidStateException", "%s is not pending deletion.", text(found.Outputs, "arn"))
}

// mostRotations is how often a key is rotated on demand.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_RotateKeyOnDemand.html
const mostRotations = 25

// rotateKeyOnDemand only notes it: nothing is encrypted here. The end of the process forgets it.
func (e *Endpoint) rotateKeyOnDemand(_ context.Context, region string, in onKey) (any, error) {
	found, err := e.key(region, in.KeyID)
	if err != nil {
		return nil, err
	}
	if found.Type != keyType {
		return nil, awsapi.Error("UnsupportedOperationException", "%s is a replica key: rotate its primary.", text(found.Outputs, "arn"))
	}
	e.changing.Lock()
	defer e.changing.Unlock()
	if len(e.rotations[found.ID]) == mostRotations {
		return nil, awsapi.Error("LimitExceededException", "A key is rotated on demand up to %d times.", mostRotations)
	}
	e.rotations[found.ID] = append(e.rotations[found.ID], object{"KeyId": found.ID, "RotationDate": moment(time.Now()), "RotationType": "ON_DEMAND"})
	return object{"KeyId": found.ID}, nil
}

func (e *Endpoint) listKeyRotations(_ context.Context, region string, in struct {
	onKey
	IncludeKeyMaterial, Marker string
	Limit                      int
}) (any, error) {
	found, err := e.key(region, in.KeyID)
	if err != nil {
		return nil, err
	}
	e.changing.Lock()
	defer e.changing.Unlock()
	return object{"Rotations": append([]any{}, e.rotations[found.ID]...), "Truncated": false}, nil
}
