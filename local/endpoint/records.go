package endpoint

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"iter"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
)

// What is only on record here: roles, topics, networks and repositories.

var (
	roleOperations = map[string]operation{
		"GetRole": serve((*Endpoint).getRole), "CreateRole": serve((*Endpoint).createRole), "AttachRolePolicy": serve((*Endpoint).attachRolePolicy),
		"CreateOpenIDConnectProvider": serve((*Endpoint).createProvider), "GetOpenIDConnectProvider": serve((*Endpoint).getProvider),
	}
	topicOperations      = map[string]operation{"ListSubscriptionsByTopic": serve((*Endpoint).listSubscriptionsByTopic)}
	networkOperations    = map[string]operation{"DescribeNetworkInterfaces": describeNetworkInterfaces}
	repositoryOperations = map[string]operation{
		"DescribeRepositories": serve((*Endpoint).describeRepositories), "DescribeImages": serve((*Endpoint).describeImages),
		"DeleteRepository": serve((*Endpoint).deleteRepository),
	}
)

// getRole serves https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html
func (e *Endpoint) getRole(_ context.Context, _ string, in struct{ RoleName string }) (any, error) {
	found, err := e.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	return struct {
		XMLName xml.Name `xml:"GetRoleResponse"`
		Role    role     `xml:"GetRoleResult>Role"`
	}{Role: roleOf(found)}, nil
}

func (e *Endpoint) role(name string) (*cloud.Resource, error) {
	if found := e.ofIAM(cloud.RoleType, name); found != nil {
		return found, nil
	}
	return nil, awsapi.Error("NoSuchEntity", "The role with name %s cannot be found.", name)
}

// ofIAM finds a resource wherever it was declared, because IAM has no regions; nil if there is none.
func (e *Endpoint) ofIAM(typ, id string) *cloud.Resource {
	for _, r := range e.cloud.Resources() {
		if r.Type == typ && r.ID == id {
			return r
		}
	}
	return nil
}

type role struct {
	Path, RoleName, Arn, CreateDate, AssumeRolePolicyDocument, Description string

	RoleID string `xml:"RoleId"`
}

func roleOf(r *cloud.Resource) role {
	return role{
		Path: "/", RoleName: r.ID, RoleID: r.ID, Arn: text(r.Outputs, "arn"), CreateDate: r.Created.UTC().Format(time.RFC3339),
		AssumeRolePolicyDocument: url.QueryEscape(text(r.Inputs, "assumeRolePolicy")), Description: text(r.Inputs, "description"),
	}
}

var roleName = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)

// createRole serves https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html for a role without path, boundary and tags.
func (e *Endpoint) createRole(_ context.Context, region string, in struct{ RoleName, AssumeRolePolicyDocument, Description string }) (any, error) {
	if !roleName.MatchString(in.RoleName) {
		return nil, awsapi.Error("ValidationError", "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-")
	}
	if !json.Valid([]byte(in.AssumeRolePolicyDocument)) {
		return nil, awsapi.Error("MalformedPolicyDocument", "This policy contains invalid Json")
	}
	e.changing.Lock()
	defer e.changing.Unlock()
	if _, err := e.role(in.RoleName); err == nil {
		return nil, awsapi.Error("EntityAlreadyExists", "Role with name %s already exists.", in.RoleName)
	}
	made, err := e.cloud.Create(cloud.RoleType, in.RoleName, region, cloud.Properties{
		"name": in.RoleName, "assumeRolePolicy": in.AssumeRolePolicyDocument, "description": in.Description,
	})
	if err != nil {
		return nil, err
	}
	return struct {
		XMLName xml.Name `xml:"CreateRoleResponse"`
		Role    role     `xml:"CreateRoleResult>Role"`
	}{Role: roleOf(made)}, nil
}

// restorePolicy is AWS's own policy for roles that AWS Backup restores with.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupServiceRolePolicyForRestores.html
const restorePolicy = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForRestores"

// attachRolePolicy serves https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html
func (e *Endpoint) attachRolePolicy(_ context.Context, region string, in struct{ RoleName, PolicyArn string }) (any, error) {
	if _, err := e.role(in.RoleName); err != nil {
		return nil, err
	}
	if in.PolicyArn != restorePolicy {
		return nil, &awsapi.Unsupported{Feature: "the policy " + in.PolicyArn + ", only " + restorePolicy}
	}
	e.changing.Lock()
	defer e.changing.Unlock()
	_, err := e.cloud.Create(cloud.AttachmentType, in.RoleName, region, cloud.Properties{"role": in.RoleName, "policyArn": in.PolicyArn})
	return struct {
		XMLName xml.Name `xml:"AttachRolePolicyResponse"`
	}{}, err
}

// createProvider serves https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html, but looks at no
// certificate.
func (e *Endpoint) createProvider(_ context.Context, region string, in struct {
	URL                          string `json:"Url"`
	ClientIDList, ThumbprintList []any
	Tags                         []struct{ Key, Value string }
}) (any, error) {
	const longest = 255
	if at, err := url.Parse(in.URL); err != nil || at.Scheme != "https" || at.Host == "" || at.RawQuery != "" || len(in.URL) > longest {
		return nil, awsapi.Error("InvalidInput", "Invalid Open ID Connect Provider URL")
	}
	tags := object{}
	for _, tag := range in.Tags {
		tags[tag.Key] = tag.Value
	}
	e.changing.Lock()
	defer e.changing.Unlock()
	for _, r := range e.cloud.Resources() { // IAM has no regions
		if r.Type == cloud.IdentityProviderType && r.Inputs["url"] == in.URL {
			return nil, awsapi.Error("EntityAlreadyExists", "Provider with url %s already exists.", in.URL)
		}
	}
	made, err := e.cloud.Create(cloud.IdentityProviderType, in.URL, region, cloud.Properties{
		"url": in.URL, "clientIdLists": in.ClientIDList, "thumbprintLists": in.ThumbprintList, "tags": tags,
	})
	if err != nil {
		return nil, err
	}
	return struct {
		XMLName xml.Name `xml:"CreateOpenIDConnectProviderResponse"`
		ARN     string   `xml:"CreateOpenIDConnectProviderResult>OpenIDConnectProviderArn"`
	}{ARN: made.ID}, nil
}

// getProvider serves https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetOpenIDConnectProvider.html but for tags.
func (e *Endpoint) getProvider(_ context.Context, _ string, in struct {
	ARN string `json:"OpenIDConnectProviderArn"`
}) (any, error) {
	found := e.ofIAM(cloud.IdentityProviderType, in.ARN)
	if found == nil {
		return nil, awsapi.Error("NoSuchEntity", "OpenIDConnect Provider not found for arn %s", in.ARN)
	}
	type provider struct {
		URL        string `xml:"Url"`
		ClientIDs  any    `xml:"ClientIDList>member"`
		Thumbs     any    `xml:"ThumbprintList>member"`
		CreateDate string
	}
	return struct {
		XMLName  xml.Name `xml:"GetOpenIDConnectProviderResponse"`
		Provider provider `xml:"GetOpenIDConnectProviderResult"`
	}{Provider: provider{
		strings.TrimPrefix(text(found.Inputs, "url"), "https://"), found.Inputs["clientIdLists"], found.Inputs["thumbprintLists"], found.Created.UTC().Format(time.RFC3339),
	}}, nil
}

// listSubscriptionsByTopic lists all on one page. Nobody confirms any here.
// https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html
func (e *Endpoint) listSubscriptionsByTopic(_ context.Context, region string, in struct{ TopicArn, NextToken string }) (any, error) {
	if _, there := e.cloud.Read(cloud.TopicType, region, in.TopicArn); !there {
		return nil, awsapi.Error("NotFound", "Topic does not exist")
	}
	type subscription struct{ SubscriptionArn, Owner, Protocol, Endpoint, TopicArn string }
	var listed []subscription
	for _, r := range e.declared(cloud.SubscriptionType, region) {
		if text(r.Inputs, "topic") == in.TopicArn {
			listed = append(listed, subscription{"PendingConfirmation", cloud.Account, text(r.Inputs, "protocol"), text(r.Inputs, "endpoint"), in.TopicArn})
		}
	}
	return struct {
		XMLName       xml.Name       `xml:"ListSubscriptionsByTopicResponse"`
		Subscriptions []subscription `xml:"ListSubscriptionsByTopicResult>Subscriptions>member"`
	}{Subscriptions: listed}, nil
}

// describeNetworkInterfaces finds none, whatever is asked for: functions have none here.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html
func describeNetworkInterfaces(*Endpoint, context.Context, string, []byte) (any, error) {
	return struct {
		XMLName             xml.Name `xml:"DescribeNetworkInterfacesResponse"`
		NetworkInterfaceSet struct{} `xml:"networkInterfaceSet"`
	}{}, nil
}

// describeRepositories lists all on one page. ECR's own copies in other regions aren't made here.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeRepositories.html
func (e *Endpoint) describeRepositories(_ context.Context, region string, in struct {
	RegistryID      string   `json:"registryId"`
	RepositoryNames []string `json:"repositoryNames"`
	MaxResults      int      `json:"maxResults"`
	NextToken       string   `json:"nextToken"`
}) (any, error) {
	listed := []any{}
	for _, r := range e.declared(cloud.RepositoryType, region) {
		if len(in.RepositoryNames) == 0 || slices.Contains(in.RepositoryNames, r.ID) {
			listed = append(listed, repositoryOf(r))
		}
	}
	for _, name := range in.RepositoryNames {
		if _, err := e.repository(region, name); err != nil {
			return nil, err
		}
	}
	return object{"repositories": listed}, nil
}

func repositoryOf(r *cloud.Resource) object {
	return object{
		"repositoryName": r.ID, "repositoryArn": r.Outputs["arn"], "registryId": cloud.Account, "repositoryUri": r.Outputs["repositoryUrl"],
		"createdAt": moment(r.Created), "imageTagMutability": r.Inputs["imageTagMutability"],
	}
}

func (e *Endpoint) repository(region, name string) (*cloud.Resource, error) {
	found, there := e.cloud.Read(cloud.RepositoryType, region, name)
	if !there {
		return nil, awsapi.Error("RepositoryNotFoundException", "The repository with name '%s' does not exist in the registry with id '%s'", name, cloud.Account)
	}
	return found, nil
}

type imageID struct {
	ImageDigest string `json:"imageDigest"`
	ImageTag    string `json:"imageTag"`
}

// images yields what was pushed to a repository, by digest.
func (e *Endpoint) images(repository *cloud.Resource) iter.Seq2[string, *cloud.Resource] {
	return func(yield func(string, *cloud.Resource) bool) {
		for _, r := range e.cloud.Resources() {
			uri, digest, _ := strings.Cut(text(r.Outputs, "repoDigest"), "@")
			if r.Type == cloud.ImageType && uri == repository.Outputs["repositoryUrl"] && !yield(digest, r) {
				return
			}
		}
	}
}

// describeImages lists what the stack has pushed, on one page.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImages.html
func (e *Endpoint) describeImages(_ context.Context, region string, in struct {
	RegistryID     string          `json:"registryId"`
	RepositoryName string          `json:"repositoryName"`
	ImageIDs       []imageID       `json:"imageIds"`
	MaxResults     int             `json:"maxResults"`
	NextToken      string          `json:"nextToken"`
	Filter         json.RawMessage `json:"filter"` // by tags or scans: all are tagged
}) (any, error) {
	repository, err := e.repository(region, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	listed, found := []any{}, 0
	for digest, r := range e.images(repository) {
		tag := text(r.Inputs, "imageName")
		tag = tag[strings.LastIndex(tag, ":")+1:]
		asked := len(in.ImageIDs) == 0
		for _, id := range in.ImageIDs {
			if (id.ImageDigest == "" || id.ImageDigest == digest) && (id.ImageTag == "" || id.ImageTag == tag) {
				asked, found = true, found+1
			}
		}
		if asked {
			listed = append(listed, object{
				"registryId": cloud.Account, "repositoryName": repository.ID, "imageDigest": digest, "imageTags": []any{tag}, "imagePushedAt": moment(r.Created),
			})
		}
	}
	if found < len(in.ImageIDs) {
		return nil, awsapi.Error("ImageNotFoundException", "An image that was asked for does not exist within the repository with name '%s' in the registry with id '%s'", repository.ID, cloud.Account)
	}
	return object{"imageDetails": listed}, nil
}

// deleteRepository serves https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteRepository.html
func (e *Endpoint) deleteRepository(ctx context.Context, region string, in struct {
	RegistryID     string `json:"registryId"`
	RepositoryName string `json:"repositoryName"`
	Force          bool   `json:"force"`
}) (any, error) {
	found, err := e.repository(region, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	for range e.images(found) {
		if !in.Force {
			return nil, awsapi.Error("RepositoryNotEmptyException", "The repository with name '%s' in registry with id '%s' cannot be deleted because it still contains images", found.ID, cloud.Account)
		}
	}
	if err := e.change(found, object{"forceDelete": true}); err != nil {
		return nil, err
	}
	return object{"repository": repositoryOf(found)}, e.cloud.Delete(cloud.RepositoryType, region, found.ID)
}
