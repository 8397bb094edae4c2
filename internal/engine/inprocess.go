package engine

import (
	"context"
	"path"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// Provider connects the engine to an instance of a provider. It is called once per instance in a stack, so us-east-1
// and eu-west-1 have different ones.
type Provider func() (grpc.ClientConnInterface, error)

// InProcess are providers of this process, by package. Each function creates an instance.
func InProcess(made map[string]func() pulumirpc.ResourceProviderServer) map[string]Provider {
	all := map[string]Provider{}
	for pkg, instance := range made {
		all[pkg] = func() (grpc.ClientConnInterface, error) {
			return inProcess{&pulumirpc.ResourceProvider_ServiceDesc, instance()}, nil
		}
	}
	return all
}

// inProcess calls a gRPC service of this process, without a connection or encoding. Pulumi's clients on top of it work
// as they do for plugins, for instance marking what came from a secret as secret.
type inProcess struct {
	service *grpc.ServiceDesc
	server  any
}

// Invoke implements grpc.ClientConnInterface. Neither side keeps the other's messages: they are copied.
func (p inProcess) Invoke(ctx context.Context, method string, request, response any, _ ...grpc.CallOption) error {
	for _, known := range p.service.Methods {
		if known.MethodName != path.Base(method) {
			continue
		}
		answer, err := known.Handler(p.server, ctx, func(into any) error {
			proto.Merge(into.(proto.Message), request.(proto.Message))
			return nil
		}, nil)
		if err != nil {
			return status.Convert(err).Err()
		}
		proto.Merge(response.(proto.Message), answer.(proto.Message))
		return nil
	}
	return status.Errorf(codes.Unimplemented, "%s has no method %s", p.service.ServiceName, method)
}

// NewStream implements grpc.ClientConnInterface. No plugin hosted here has a streaming method.
func (p inProcess) NewStream(_ context.Context, _ *grpc.StreamDesc, method string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, status.Errorf(codes.Unimplemented, "%s streams, which isn't possible within a process", method)
}
