package endpoint

import (
	"context"
	"strings"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
)

const keyType = "aws:kms/key:Key"

var keyOperations = map[string]operation{
	"DescribeKey": serve((*Endpoint).describeKey), "GetKeyRotationStatus": serve((*Endpoint).getKeyRotationStatus),
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
func (e *Endpoint) describeKey(_ context.Context, region string, in struct {
	KeyID string `json:"KeyId"`
}) (any, error) {
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

func (e *Endpoint) getKeyRotationStatus(_ context.Context, region string, in struct {
	KeyID string `json:"KeyId"`
}) (any, error) {
	found, err := e.key(region, in.KeyID)
	if err != nil {
		return nil, err
	}
	return object{"KeyId": found.ID, "KeyRotationEnabled": found.Inputs["enableKeyRotation"] == true}, nil
}
