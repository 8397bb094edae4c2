package iam

import "fmt"

// Access has every document that decides a call.
type Access struct {
	// Identity are the caller's own policies. They don't count if the caller is an AWS service or another account, whose
	// own policies decide there.
	Identity []Document

	// Boundary is the caller's permissions boundary: it only limits what the other documents allow.
	Boundary *Document

	// Resource is the policy of the resource, or the trust policy of a role that is assumed.
	Resource *Document

	// ResourceDecides says that the resource's own policy must allow the call. A KMS key's must, which may leave it to the
	// account's policies, and so must a role's trust policy
	// (https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html).
	ResourceDecides bool

	// Endpoint is the policy of the VPC endpoint that the call passes through.
	Endpoint *Document
}

// Denied says why a call is denied.
type Denied struct {
	Request Request
	Reason  string // as in "because no identity-based policy allows the sqs:SendMessage action"
}

func (d *Denied) Error() string {
	on := d.Request.Resource
	if on == "" {
		on = "the role"
	}
	return fmt.Sprintf("%s is not authorized to perform: %s on resource: %s %s", d.Request.Principal, d.Request.Action, on, d.Reason)
}

// Decide follows IAM's policy evaluation logic
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html): an explicit denial in
// any document wins; the endpoint's policy and the boundary must allow; within an account, either side may allow; a
// service or another account needs the resource's policy. The error is a *Denied, or says what can't be evaluated.
func (a Access) Decide(r Request) error {
	denied := func(kind, verb string) error {
		return &Denied{Request: r, Reason: fmt.Sprintf("because %s %s the %s action", kind, verb, r.Action)}
	}
	decide := func(kind string, documents ...*Document) (Decision, error) {
		best := DeniedImplicitly
		for _, d := range documents {
			if d == nil {
				continue
			}
			decision, err := d.Decide(r)
			if err != nil {
				return "", fmt.Errorf("evaluating %s for %s: %w", kind, r.Action, err)
			}
			switch {
			case decision == DeniedExplicitly:
				return "", &Denied{Request: r, Reason: "with an explicit deny in " + kind}
			case decision == Allowed || best == DeniedImplicitly:
				best = decision
			}
		}
		return best, nil
	}

	var own []*Document
	for i := range a.Identity {
		own = append(own, &a.Identity[i])
	}
	identity, err := decide("an identity-based policy", own...)
	if err != nil {
		return err
	}
	boundary, err := decide("a permissions boundary", a.Boundary)
	if err != nil {
		return err
	}
	resource, err := decide("a resource-based policy", a.Resource)
	if err != nil {
		return err
	}
	endpoint, err := decide("a VPC endpoint policy", a.Endpoint)
	if err != nil {
		return err
	}

	caller, owner := rootOf(r.Principal), rootOf(r.Resource)
	switch outside := caller == "" || owner != "" && caller != owner; {
	case a.Endpoint != nil && endpoint != Allowed:
		return denied("no VPC endpoint policy", "allows")
	case a.Boundary != nil && boundary != Allowed:
		return denied("no permissions boundary", "allows")
	case resource == Allowed, resource == Delegated && (identity == Allowed || outside):
		return nil
	case outside || a.ResourceDecides && resource == DeniedImplicitly:
		return denied("no resource-based policy", "allows")
	case identity == Allowed:
		return nil
	}
	return denied("no identity-based policy", "allows")
}
