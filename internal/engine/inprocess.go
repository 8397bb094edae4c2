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

// Provider connects the engine to an instance of a provider. It is called once for each instance that a stack has, so that
// the one of us-east-1 is another than the one of eu-west-1.
type Provider func() (grpc.ClientConnInterface, error)

// InProcess are providers of this process, by package. Each function makes an instance.
func InProcess(made map[string]func() pulumirpc.ResourceProviderServer) map[string]Provider {
	all := map[string]Provider{}
	for pkg, instance := range made {
		all[pkg] = func() (grpc.ClientConnInterface, error) {
			return inProcess{&pulumirpc.ResourceProvider_ServiceDesc, instance()}, nil
		}
	}
	return all
}

// inProcess calls a gRPC service of this process, with neither a connection nor an encoding between. Pulumi's clients on top
// of it do what they do for plugins, such as marking what came of a secret as secret.
type inProcess struct {
	service *grpc.ServiceDesc
	server  any
}

// Invoke implements grpc.ClientConnInterface. Neither side keeps what is the other's: messages are copied.
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

// NewStream implements grpc.ClientConnInterface. No plugin that is hosted here has a method that streams.
func (p inProcess) NewStream(_ context.Context, _ *grpc.StreamDesc, method string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, status.Errorf(codes.Unimplemented, "%s streams, which isn't possible within a process", method)
}
