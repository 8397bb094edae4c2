package endpoint

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
)

var keyOperations = map[string]operation{
	"DescribeKey": serve((*Endpoint).describeKey), "GetKeyRotationStatus": serve((*Endpoint).getKeyRotationStatus),
	"EnableKey": serve((*Endpoint).enableKey), "DisableKey": serve((*Endpoint).disableKey),
	"ScheduleKeyDeletion": serve((*Endpoint).scheduleKeyDeletion), "CancelKeyDeletion": serve((*Endpoint).cancelKeyDeletion),
	"RotateKeyOnDemand": serve((*Endpoint).rotateKeyOnDemand), "ListKeyRotations": serve((*Endpoint).listKeyRotations),
	"UpdatePrimaryRegion": serve((*Endpoint).updatePrimaryRegion),
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
	if alias, found := e.cloud.Read(cloud.KeyAliasType, region, wanted); found {
		wanted = text(alias.Inputs, "targetKeyId")
	}
	wanted = wanted[strings.LastIndex(wanted, "/")+1:]
	for _, typ := range []string{cloud.KeyType, cloud.ReplicaKeyType} {
		if found, there := e.cloud.Read(typ, region, wanted); there {
			return found, nil
		}
	}
	return nil, awsapi.Error("NotFoundException", "Key '%s' does not exist", name)
}

// Notes of a key, by its id.
const (
	primaryNote   = "primary region of key "
	rotationsNote = "rotations of key "
	deletionNote  = "deletion of key " // by its ARN
)

// everywhere finds a key and its replicas, by region, and the region of the primary one.
func (e *Endpoint) everywhere(id string) (keys map[string]*cloud.Resource, primary string) {
	keys = map[string]*cloud.Resource{}
	for _, r := range e.cloud.Resources() {
		if r.ID == id && (r.Type == cloud.KeyType || r.Type == cloud.ReplicaKeyType) {
			keys[r.Region] = r
			if r.Type == cloud.KeyType {
				primary = r.Region
			}
		}
	}
	e.cloud.Note(primaryNote+id, &primary)
	return keys, primary
}

// describeKey serves https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html
func (e *Endpoint) describeKey(_ context.Context, region string, in onKey) (any, error) {
	found, err := e.key(region, in.KeyID)
	if err != nil {
		return nil, err
	}
	told := object{
		"AWSAccountId": cloud.Account, "KeyId": found.ID, "Arn": found.Outputs["arn"], "CreationDate": moment(e.began),
		"Description": found.Inputs["description"], "KeyUsage": "ENCRYPT_DECRYPT", "Origin": "AWS_KMS", "KeyManager": "CUSTOMER",
		"KeySpec": "SYMMETRIC_DEFAULT", "MultiRegion": isMultiRegion(found),
	}
	maps.Copy(told, e.keyState(found))
	told["Enabled"] = told["KeyState"] == keyEnabled
	if isMultiRegion(found) {
		told["MultiRegionConfiguration"] = e.multiRegion(found)
	}
	return object{"KeyMetadata": told}, nil
}

func isMultiRegion(key *cloud.Resource) bool { return strings.HasPrefix(key.ID, "mrk-") }

// https://docs.aws.amazon.com/kms/latest/APIReference/API_MultiRegionConfiguration.html
func (e *Endpoint) multiRegion(key *cloud.Resource) object {
	keys, primary := e.everywhere(key.ID)
	told, replicas := object{"MultiRegionKeyType": "REPLICA"}, []any{}
	for _, region := range slices.Sorted(maps.Keys(keys)) {
		one := object{"Arn": keys[region].Outputs["arn"], "Region": region}
		if region == primary {
			told["PrimaryKey"] = one
		} else {
			replicas = append(replicas, one)
		}
	}
	if key.Region == primary {
		told["MultiRegionKeyType"] = "PRIMARY"
	}
	told["ReplicaKeys"] = replicas
	return told
}

// updatePrimaryRegion serves https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdatePrimaryRegion.html
func (e *Endpoint) updatePrimaryRegion(_ context.Context, region string, in struct {
	onKey
	PrimaryRegion string
}) (any, error) {
	found, err := e.key(region, in.KeyID)
	if err != nil {
		return nil, err
	}
	e.changing.Lock()
	defer e.changing.Unlock()
	keys, primary := e.everywhere(found.ID)
	switch {
	case !isMultiRegion(found) || region != primary:
		return nil, awsapi.Error("UnsupportedOperationException", "%s is not a multi-Region primary key.", text(found.Outputs, "arn"))
	case keys[in.PrimaryRegion] == nil:
		return nil, awsapi.Error("NotFoundException", "Key '%s' does not exist in %s", found.ID, in.PrimaryRegion)
	}
	e.cloud.SetNote(primaryNote+found.ID, in.PrimaryRegion)
	return object{}, nil
}

// getKeyRotationStatus answers for a replica what holds for its primary: they share it.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html
func (e *Endpoint) getKeyRotationStatus(_ context.Context, region string, in onKey) (any, error) {
	found, err := e.key(region, in.KeyID)
	if err != nil {
		return nil, err
	}
	rotates := false
	keys, _ := e.everywhere(found.ID)
	for _, r := range keys {
		rotates = rotates || r.Inputs["enableKeyRotation"] == true
	}
	return object{"KeyId": found.ID, "KeyRotationEnabled": rotates}, nil
}

const keyEnabled = "Enabled"

// deletion is that of a key, which is never carried out here.
type deletion struct {
	Days int
	At   time.Time
}

// keyState returns a key's state, with what the states before its deletion have besides.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
// https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-delete.html
func (e *Endpoint) keyState(key *cloud.Resource) object {
	var due deletion
	keys, primary := e.everywhere(key.ID)
	switch {
	case e.cloud.Note(deletionNote+text(key.Outputs, "arn"), &due) && key.Region == primary && len(keys) > 1:
		return object{"KeyState": "PendingReplicaDeletion", "PendingDeletionWindowInDays": due.Days}
	case due.Days > 0:
		return object{"KeyState": "PendingDeletion", "DeletionDate": moment(due.At)}
	case key.Inputs[enabledProperty(key)] == false:
		return object{"KeyState": "Disabled"}
	}
	return object{"KeyState": keyEnabled}
}

// enabledProperty is that by which Pulumi enables a key, or a replica of one.
func enabledProperty(key *cloud.Resource) string {
	if key.Type == cloud.ReplicaKeyType {
		return "enabled"
	}
	return "isEnabled"
}

// switchKey enables or disables a key that isn't about to be deleted. Whatever uses a disabled one is denied.
func (e *Endpoint) switchKey(region string, in onKey, enabled bool) (*cloud.Resource, error) {
	found, err := e.key(region, in.KeyID)
	if err != nil {
		return nil, err
	}
	if e.cloud.Note(deletionNote+text(found.Outputs, "arn"), &deletion{}) {
		return nil, awsapi.Error("KMSInvalidStateException", "%s is pending deletion.", text(found.Outputs, "arn"))
	}
	return found, e.change(found, object{enabledProperty(found): enabled})
}

// enableKey serves https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKey.html
func (e *Endpoint) enableKey(_ context.Context, region string, in onKey) (any, error) {
	_, err := e.switchKey(region, in, true)
	return object{}, err
}

// disableKey serves https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKey.html
func (e *Endpoint) disableKey(_ context.Context, region string, in onKey) (any, error) {
	_, err := e.switchKey(region, in, false)
	return object{}, err
}

// scheduleKeyDeletion serves https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html
func (e *Endpoint) scheduleKeyDeletion(_ context.Context, region string, in struct {
	onKey
	PendingWindowInDays *int
}) (any, error) {
	const least, most = 7, 30
	days := most
	if in.PendingWindowInDays != nil {
		days = *in.PendingWindowInDays
	}
	if days < least || days > most {
		return nil, awsapi.Validation("PendingWindowInDays is %d, and must be from %d to %d", days, least, most)
	}
	found, err := e.switchKey(region, in.onKey, false)
	if err != nil {
		return nil, err
	}
	e.cloud.SetNote(deletionNote+text(found.Outputs, "arn"), deletion{days, time.Now().AddDate(0, 0, days)})
	told := e.keyState(found)
	delete(told, "PendingDeletionWindowInDays")
	told["KeyId"], told["PendingWindowInDays"] = found.Outputs["arn"], days
	return told, nil
}

// cancelKeyDeletion leaves the key disabled.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_CancelKeyDeletion.html
func (e *Endpoint) cancelKeyDeletion(_ context.Context, region string, in onKey) (any, error) {
	found, err := e.key(region, in.KeyID)
	if err != nil {
		return nil, err
	}
	itsARN := text(found.Outputs, "arn")
	if !e.cloud.Note(deletionNote+itsARN, &deletion{}) {
		return nil, awsapi.Error("KMSInvalidStateException", "%s is not pending deletion.", itsARN)
	}
	e.cloud.SetNote(deletionNote+itsARN, nil)
	return object{"KeyId": itsARN}, nil
}

// mostRotations is how often a key is rotated on demand.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_RotateKeyOnDemand.html
const mostRotations = 25

// rotateKeyOnDemand only notes it: nothing is encrypted here.
func (e *Endpoint) rotateKeyOnDemand(_ context.Context, region string, in onKey) (any, error) {
	found, err := e.key(region, in.KeyID)
	if err != nil {
		return nil, err
	}
	if _, primary := e.everywhere(found.ID); region != primary {
		return nil, awsapi.Error("UnsupportedOperationException", "%s is a replica key: rotate its primary.", text(found.Outputs, "arn"))
	}
	e.changing.Lock()
	defer e.changing.Unlock()
	var rotations []time.Time
	e.cloud.Note(rotationsNote+found.ID, &rotations)
	if len(rotations) == mostRotations {
		return nil, awsapi.Error("LimitExceededException", "A key is rotated on demand up to %d times.", mostRotations)
	}
	e.cloud.SetNote(rotationsNote+found.ID, append(rotations, time.Now()))
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
	var rotations []time.Time
	e.cloud.Note(rotationsNote+found.ID, &rotations)
	listed := []any{}
	for _, at := range rotations {
		listed = append(listed, object{"KeyId": found.ID, "RotationDate": moment(at), "RotationType": "ON_DEMAND"})
	}
	return object{"Rotations": listed, "Truncated": false}, nil
}
