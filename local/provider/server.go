// Package provider shows the embedded local cloud to Pulumi: to the engine as
// running providers that it attaches to, and to unit tests as the monitor
// behind pulumi.WithMocks. Both go through the same cloud.
package provider

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"

	"trade-processing/local/cloud"
)

// packages are the providers that the local cloud stands in for, at the
// versions of the SDKs that the program is written against.
var packages = map[tokens.Package]semver.Version{
	"aws":    semver.MustParse("6.83.2"),
	"docker": semver.MustParse("4.10.0"),
}

// Servers are the running providers of one cloud, on loopback.
type Servers struct {
	attach  []string
	servers []*grpc.Server
}

// Serve starts a provider for each package. Stop them with Close.
func Serve(c *cloud.Cloud) (*Servers, error) {
	s := &Servers{}
	for pkg, version := range packages {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("listening for provider %s: %w", pkg, err)
		}
		server := grpc.NewServer(grpc.StatsHandler(connections{}))
		pulumirpc.RegisterResourceProviderServer(server,
			plugin.NewProviderServer(&provider{pkg: pkg, version: version, cloud: c}))
		go server.Serve(listener) //nolint:errcheck // returns when Close stops it
		s.servers = append(s.servers, server)
		s.attach = append(s.attach, fmt.Sprintf("%s:%d", pkg, listener.Addr().(*net.TCPAddr).Port))
	}
	return s, nil
}

// Attach is the value of PULUMI_DEBUG_PROVIDERS that leads the engine here.
func (s *Servers) Attach() string { return strings.Join(s.attach, ",") }

// Close stops the providers.
func (s *Servers) Close() {
	for _, server := range s.servers {
		server.Stop()
	}
}

// connections gives each gRPC connection a value of its own in the context of
// its calls. The engine dials once for each provider instance and names the
// instance only in Configure, so the connection is what tells the provider of
// us-east-1 from the one of eu-west-1.
type connections struct{}

type connection struct{ settings atomic.Pointer[settings] }

type connectionKey struct{}

func (connections) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context {
	return context.WithValue(ctx, connectionKey{}, &connection{})
}

func (connections) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }
func (connections) HandleConn(context.Context, stats.ConnStats)                     {}
func (connections) HandleRPC(context.Context, stats.RPCStats)                       {}

func connectionOf(ctx context.Context) *connection {
	if c, ok := ctx.Value(connectionKey{}).(*connection); ok {
		return c
	}
	return &connection{}
}

func settingsOf(ctx context.Context) settings {
	if s := connectionOf(ctx).settings.Load(); s != nil {
		return *s
	}
	return settings{}
}
