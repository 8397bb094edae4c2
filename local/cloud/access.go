package cloud

import (
	"errors"
	"maps"
	"strings"
	"sync"

	"trade-processing/components/iam"
	"trade-processing/local/access"
	"trade-processing/local/awsapi"
)

// allowed decides a call from the documents of all resources as they are now.
func (c *Cloud) allowed(call access.Call, by, on, with string) error {
	err := c.deployment().Check(call, by, on, with)
	if err != nil {
		c.denials.add(err.Error())
	}
	return err
}

// denials counts what was denied, by what the denial says.
type denials struct {
	mu    sync.Mutex
	times map[string]int64
}

func (d *denials) add(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.times == nil {
		d.times = map[string]int64{}
	}
	d.times[what]++
}

// Denials returns how often each call was denied that a deployed policy doesn't allow, by what the denial says: caller,
// action, resource and reason.
func (c *Cloud) Denials() map[string]int64 {
	c.denials.mu.Lock()
	defer c.denials.mu.Unlock()
	return maps.Clone(c.denials.times)
}

// allowedTo decides a function's call; nobody's is an administrator's. The error is the service's own.
func (c *Cloud) allowedTo(function string, call access.Call, on string) error {
	if function == "" {
		return nil
	}
	if err := c.allowed(call, function, on, ""); err != nil {
		return awsapi.Error("AccessDeniedException", "%v", err)
	}
	return nil
}

// deployment returns what decides calls, which is made anew once a resource has changed.
func (c *Cloud) deployment() *access.Deployment {
	if known := c.access.Load(); known != nil {
		return known
	}
	c.mu.RLock() // nothing changes meanwhile
	defer c.mu.RUnlock()
	made := access.New(Account, c.accessed())
	c.access.Store(made)
	return made
}

// accessed lists the resources, and others that are about to be made, as package access reads them.
func (c *Cloud) accessed(others ...*Resource) []access.Resource {
	all := make([]access.Resource, 0, len(c.resources)+len(others))
	for _, r := range c.resources {
		all = append(all, r.accessed())
	}
	for _, r := range others {
		all = append(all, r.accessed())
	}
	return all
}

func (r *Resource) accessed() access.Resource {
	return access.Resource{Type: r.Type, Region: r.Region, ID: r.ID, Properties: r.Outputs}
}

// made are the types whose creation AWS itself authorises beforehand, with what it calls then.
var made = map[string][]access.Call{
	BusType:      {access.CreateBus},
	LogGroupType: {access.EncryptLogs},
	FunctionType: {access.CreateFunction, access.AttachFunction},
	MachineType:  {access.BeginExecution, access.CreateMachine, access.WriteExecutionLogs},
}

// authorise refuses a resource that AWS services couldn't use with the policies that are in place.
func (c *Cloud) authorise(r *Resource) error {
	calls, checked := made[r.Type]
	if !checked {
		return nil
	}
	c.mu.RLock()
	then := access.New(Account, c.accessed(r))
	c.mu.RUnlock()
	for _, call := range calls {
		if err := then.Check(call, r.itsARN(), r.itsARN(), ""); err != nil {
			return err
		}
	}
	// Without it AWS says that the execution role may not call SendMessage (elastic/beats #13963).
	letters, _ := r.Inputs["deadLetterConfig"].(map[string]any)
	if queue := Properties(letters).text("targetArn"); queue != "" {
		if err := then.Check(access.KeepFailedCall, r.itsARN(), queue, ""); err != nil {
			return err
		}
	}
	if repository := c.pulledFrom(r); repository != "" {
		return then.Check(access.PullImage, r.itsARN(), repository, "")
	}
	return nil
}

// pulledFrom returns the ARN of the deployment's repository that a function's image is pulled from, if there is one.
func (c *Cloud) pulledFrom(r *Resource) string {
	image, _, _ := strings.Cut(r.Inputs.text("imageUri"), "@")
	for _, repository := range c.Resources() {
		if repository.Type == RepositoryType && repository.Outputs.text("repositoryUrl") == image {
			return repository.itsARN()
		}
	}
	return ""
}

// keyDenied reports whether it is a key that can't be used.
func keyDenied(err error) bool {
	denied, ok := errors.AsType[*iam.Denied](err)
	return ok && strings.HasPrefix(denied.Request.Action, "kms:")
}
