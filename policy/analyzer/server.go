package analyzer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/policyx"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// Server answers the engine's questions about one pack. The engine asks about several resources at once.
type Server struct {
	pulumirpc.UnimplementedAnalyzerServer

	pack policyx.PolicyPack

	mutex  sync.RWMutex
	config map[string]policyx.PolicyConfig // by policy; anything missing has its defaults
	dryRun bool
	tags   map[string]string
}

// New returns a server for a pack.
func New(pack policyx.PolicyPack) *Server { return &Server{pack: pack} }

// Handshake is how the engine greets the pack.
func (s *Server) Handshake(context.Context, *pulumirpc.AnalyzerHandshakeRequest) (*pulumirpc.AnalyzerHandshakeResponse, error) {
	return &pulumirpc.AnalyzerHandshakeResponse{}, nil
}

// GetPluginInfo returns the pack's version.
func (s *Server) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: s.pack.Version().String()}, nil
}

// GetAnalyzerInfo describes the pack: its policies, their levels and what can be configured.
func (s *Server) GetAnalyzerInfo(context.Context, *emptypb.Empty) (*pulumirpc.AnalyzerInfo, error) {
	info := &pulumirpc.AnalyzerInfo{Name: s.pack.Name(), DisplayName: s.pack.Name(), Version: s.pack.Version().String(), SupportsConfig: true}
	for _, policy := range s.pack.Policies() {
		schema, err := schemaOf(policy)
		if err != nil {
			return nil, fmt.Errorf("schema of policy %s: %w", policy.Name(), err)
		}
		kind := pulumirpc.PolicyType_POLICY_TYPE_RESOURCE
		if _, onStack := policy.(StackPolicy); onStack {
			kind = pulumirpc.PolicyType_POLICY_TYPE_STACK
		}
		info.Policies = append(info.Policies, &pulumirpc.PolicyInfo{
			Name: policy.Name(), DisplayName: policy.Name(), Description: policy.Description(), PolicyType: kind,
			EnforcementLevel: pulumirpc.EnforcementLevel(policy.EnforcementLevel()), ConfigSchema: schema,
		})
	}
	return info, nil
}

func schemaOf(policy policyx.Policy) (*pulumirpc.PolicyConfigSchema, error) {
	schema := policy.ConfigSchema()
	if schema == nil {
		return nil, nil
	}
	properties := make(map[string]any, len(schema.Properties))
	for name, property := range schema.Properties {
		properties[name] = property
	}
	converted, err := structpb.NewStruct(properties)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.PolicyConfigSchema{Properties: converted, Required: schema.Required}, nil
}

// ConfigureStack says which stack the policies judge.
func (s *Server) ConfigureStack(_ context.Context, request *pulumirpc.AnalyzerStackConfigureRequest) (*pulumirpc.AnalyzerStackConfigureResponse, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.dryRun, s.tags = request.GetDryRun(), request.GetTags()
	return &pulumirpc.AnalyzerStackConfigureResponse{}, nil
}

// Configure takes the configuration: the engine has checked it against the schemas and filled in the defaults.
func (s *Server) Configure(_ context.Context, request *pulumirpc.ConfigureAnalyzerRequest) (*emptypb.Empty, error) {
	config := map[string]policyx.PolicyConfig{}
	var problems []string
	for name, given := range request.GetPolicyConfig() {
		properties := given.GetProperties().AsMap()
		config[name] = policyx.PolicyConfig{
			EnforcementLevel: policyx.EnforcementLevel(given.GetEnforcementLevel()), Properties: properties,
		}
		problems = append(problems, s.problems(name, properties)...)
	}
	if len(problems) > 0 {
		slices.Sort(problems)
		return nil, status.Errorf(codes.InvalidArgument, "configuration of policy pack %s:\n  %s", s.pack.Name(), strings.Join(problems, "\n  "))
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.config = config
	return &emptypb.Empty{}, nil
}

// problems returns the problems in the configuration of one policy.
func (s *Server) problems(name string, properties map[string]any) []string {
	if name == "all" { // a level for all policies
		return nil
	}
	place := slices.IndexFunc(s.pack.Policies(), func(p policyx.Policy) bool { return p.Name() == name })
	if place < 0 {
		return []string{name + ": there is no such policy"}
	}
	if checked, ok := s.pack.Policies()[place].(Configured); ok {
		return checked.CheckConfig(properties)
	}
	return nil
}

// situation is what applies to every policy for one question.
type situation struct {
	config map[string]policyx.PolicyConfig
	dryRun bool
	tags   map[string]string
}

func (s *Server) situation() situation {
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	return situation{config: s.config, dryRun: s.dryRun, tags: s.tags}
}

// level returns a policy's level, from the configuration or its own.
func (now situation) level(policy policyx.Policy) policyx.EnforcementLevel {
	if given, configured := now.config[policy.Name()]; configured {
		return given.EnforcementLevel
	}
	return policy.EnforcementLevel()
}

// Analyze judges one resource by its inputs.
func (s *Server) Analyze(ctx context.Context, request *pulumirpc.AnalyzeRequest) (*pulumirpc.AnalyzeResponse, error) {
	judged, err := fromRequest(request)
	if err != nil {
		return nil, err
	}
	now, response := s.situation(), &pulumirpc.AnalyzeResponse{}
	for _, policy := range s.pack.Policies() {
		level := now.level(policy)
		if _, onStack := policy.(StackPolicy); onStack || level == policyx.EnforcementLevelDisabled {
			continue
		}
		if !concerns(policy, judged.Type) {
			response.NotApplicable = append(response.NotApplicable, notApplicable(policy))
			continue
		}
		report := s.reporter(policy, level, judged.URN, response)
		err := guard(policy, judged.URN, func() error {
			switch policy := policy.(type) {
			case policyx.ResourceValidationPolicy:
				return policy.Validate(ctx, policyx.ResourceValidationArgs{
					Manager: report, Resource: judged, Config: now.config[policy.Name()].Properties, DryRun: now.dryRun, StackTags: now.tags,
				})
			case policyx.ResourceRemediationPolicy:
				if level == policyx.EnforcementLevelRemediate {
					return nil // it has been fixed
				}
				return reportRemediation(ctx, policy, judged, now, report)
			default:
				return fmt.Errorf("a policy of type %T can't be run", policy)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return response, nil
}

// reportRemediation reports what a remediation would fix if it were allowed to.
func reportRemediation(ctx context.Context, policy policyx.ResourceRemediationPolicy, judged policyx.AnalyzerResource, now situation, report policyx.PolicyManager) error {
	mended, err := policy.Remediate(ctx, policyx.ResourceRemediationArgs{Resource: judged, Config: now.config[policy.Name()].Properties})
	if err != nil || mended == nil {
		return err
	}
	report.ReportViolation(fmt.Sprintf("properties lack what %s would add. Add it, or set the policy's level to remediate.", policy.Name()), judged.URN)
	return nil
}

// Remediate fixes one resource's inputs with every enabled remediation, one after the other.
func (s *Server) Remediate(ctx context.Context, request *pulumirpc.AnalyzeRequest) (*pulumirpc.RemediateResponse, error) {
	judged, err := fromRequest(request)
	if err != nil {
		return nil, err
	}
	now, response := s.situation(), &pulumirpc.RemediateResponse{}
	for _, policy := range s.pack.Policies() {
		remediation, mends := policy.(policyx.ResourceRemediationPolicy)
		if !mends || now.level(policy) != policyx.EnforcementLevelRemediate || !concerns(policy, judged.Type) {
			continue
		}
		err := guard(policy, judged.URN, func() error {
			mended, err := remediation.Remediate(ctx, policyx.ResourceRemediationArgs{Resource: judged, Config: now.config[policy.Name()].Properties})
			if err != nil || mended == nil {
				return err
			}
			judged.Properties = *mended
			properties, err := marshal(resource.ToResourcePropertyMap(*mended))
			if err != nil {
				return err
			}
			response.Remediations = append(response.Remediations, &pulumirpc.Remediation{
				PolicyName: policy.Name(), Description: policy.Description(),
				PolicyPackName: s.pack.Name(), PolicyPackVersion: s.pack.Version().String(), Properties: properties,
			})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return response, nil
}

// AnalyzeStack judges all resources of a stack by their outputs, at the end of a preview or an update.
func (s *Server) AnalyzeStack(ctx context.Context, request *pulumirpc.AnalyzeStackRequest) (*pulumirpc.AnalyzeResponse, error) {
	resources := make([]policyx.AnalyzerResource, len(request.GetResources()))
	types := map[string]bool{}
	for i, given := range request.GetResources() {
		judged, err := fromStack(given)
		if err != nil {
			return nil, err
		}
		resources[i], types[judged.Type] = judged, true
	}
	now, response := s.situation(), &pulumirpc.AnalyzeResponse{}
	for _, policy := range s.pack.Policies() {
		onStack, judges := policy.(StackPolicy)
		level := now.level(policy)
		if !judges || level == policyx.EnforcementLevelDisabled {
			continue
		}
		if !concernsAny(policy, types) {
			response.NotApplicable = append(response.NotApplicable, notApplicable(policy))
			continue
		}
		report := s.reporter(policy, level, "", response)
		err := guard(policy, "the stack", func() error {
			return onStack.ValidateStack(ctx, StackArgs{
				StackValidationArgs: policyx.StackValidationArgs{Manager: report, Resources: resources},
				Config:              now.config[policy.Name()].Properties, DryRun: now.dryRun,
			})
		})
		if err != nil {
			return nil, err
		}
	}
	return response, nil
}

// Cancel asks to stop early; no policy takes long enough to need it.
func (s *Server) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func concerns(policy policyx.Policy, resourceType string) bool {
	selective, ok := policy.(Selective)
	return !ok || selective.Concerns(resourceType)
}

// concernsAny reports whether a policy judges a stack with these types. A policy that doesn't select types judges any
// stack.
func concernsAny(policy policyx.Policy, types map[string]bool) bool {
	selective, ok := policy.(Selective)
	if !ok {
		return true
	}
	for resourceType := range types {
		if selective.Concerns(resourceType) {
			return true
		}
	}
	return false
}

func notApplicable(policy policyx.Policy) *pulumirpc.PolicyNotApplicable {
	return &pulumirpc.PolicyNotApplicable{PolicyName: policy.Name(), Reason: "the policy judges resources of other types"}
}

// guard runs a policy and turns its panic into an error. A policy that can't judge must not pass silently: the error
// ends the preview or update.
func guard(policy policyx.Policy, urn string, run func() error) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = status.Errorf(codes.Internal, "policy %s panicked on %s: %v", policy.Name(), urn, reason)
		}
	}()
	if err := run(); err != nil {
		return status.Errorf(codes.Unknown, "policy %s on %s: %v", policy.Name(), urn, err)
	}
	return nil
}

// reporter collects the violations of one policy.
type reporter func(message, urn string)

var _ policyx.PolicyManager = reporter(nil)

// ReportViolation implements policyx.PolicyManager.
func (r reporter) ReportViolation(message, urn string) { r(message, urn) }

func (s *Server) reporter(policy policyx.Policy, level policyx.EnforcementLevel, judged string, response *pulumirpc.AnalyzeResponse) reporter {
	return func(message, urn string) {
		if urn == "" {
			urn = judged
		}
		response.Diagnostics = append(response.Diagnostics, &pulumirpc.AnalyzeDiagnostic{
			PolicyName: policy.Name(), PolicyPackName: s.pack.Name(), PolicyPackVersion: s.pack.Version().String(),
			Description: policy.Description(), Message: policy.Description() + "\n" + message,
			EnforcementLevel: pulumirpc.EnforcementLevel(level), Urn: urn,
		})
	}
}
