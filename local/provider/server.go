package provider

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"

	"trade-processing/local/cloud"
)

// Servers are the running providers of one cloud, on loopback, for an engine of another process.
type Servers struct {
	attach    []string
	listeners []net.Listener

	mutex   sync.Mutex
	servers []*grpc.Server
}

// Serve starts a provider for each package. Stop them with Close.
func Serve(c *cloud.Cloud) (*Servers, error) {
	s := &Servers{}
	for pkg, made := range Of(c) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("listening for provider %s: %w", pkg, err)
		}
		s.listeners = append(s.listeners, listener)
		s.attach = append(s.attach, fmt.Sprintf("%s:%d", pkg, listener.Addr().(*net.TCPAddr).Port))
		go s.accept(listener, made)
	}
	slices.Sort(s.attach)
	return s, nil
}

// accept gives each connection its own instance: an engine dials once per provider in a stack, and that is all that
// distinguishes us-east-1's from eu-west-1's in every call.
func (s *Servers) accept(listener net.Listener, made func() pulumirpc.ResourceProviderServer) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return // Close has closed it
		}
		server := grpc.NewServer()
		pulumirpc.RegisterResourceProviderServer(server, made())
		s.mutex.Lock()
		s.servers = append(s.servers, server)
		s.mutex.Unlock()
		go server.Serve(&only{connection: connection}) //nolint:errcheck // it says that there is no second connection
	}
}

// Attach returns the value of PULUMI_DEBUG_PROVIDERS that points the engine here.
func (s *Servers) Attach() string { return strings.Join(s.attach, ",") }

// Close stops the providers.
func (s *Servers) Close() {
	for _, listener := range s.listeners {
		listener.Close() //nolint:errcheck // nobody dials any more
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, server := range s.servers {
		server.Stop()
	}
}

// only is a listener for one connection.
type only struct {
	connection net.Conn
	taken      bool
}

func (o *only) Accept() (net.Conn, error) {
	if o.taken {
		return nil, errors.New("there is one connection only")
	}
	o.taken = true
	return o.connection, nil
}

func (o *only) Close() error   { return nil }
func (o *only) Addr() net.Addr { return o.connection.LocalAddr() }
