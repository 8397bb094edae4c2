package functions_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// registry is a Docker registry on loopback, which engines accept without TLS.
type registry struct {
	address string
	process *exec.Cmd
}

// startRegistry starts Debian's docker-registry in a folder.
func startRegistry(folder string) (*registry, error) {
	// The registry doesn't say which port it got. This one is free now, and nobody is likely to take it in the meantime.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &registry{address: listener.Addr().String()}
	if err := listener.Close(); err != nil {
		return nil, err
	}
	config := filepath.Join(folder, "registry.yml")
	text := fmt.Sprintf("version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %q}}\nhttp: {addr: %q}\n", filepath.Join(folder, "registry"), r.address)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	r.process = exec.Command("docker-registry", "serve", config)
	log, err := os.Create(filepath.Join(folder, "registry.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close() //nolint:errcheck // the registry writes to its own handle
	r.process.Stderr = log
	if err := r.process.Start(); err != nil {
		return nil, err
	}
	for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(50 * time.Millisecond) {
		if response, err := http.Get("http://" + r.address + "/v2/"); err == nil {
			return r, response.Body.Close()
		}
	}
	r.stop()
	said, _ := os.ReadFile(log.Name())
	return nil, fmt.Errorf("the registry on %s doesn't answer: %s", r.address, said)
}

func (r *registry) stop() {
	_ = r.process.Process.Kill()
	_ = r.process.Wait()
}

// do sends a request and returns the answer's header and body.
func (r *registry) do(method, url, contentType string, body []byte) (http.Header, []byte, error) {
	if strings.HasPrefix(url, "/") {
		url = "http://" + r.address + url
	}
	request, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Accept", strings.Join([]string{dockerManifest, ociManifest, dockerIndex, ociIndex}, ", "))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("%s %s: %s: %s", method, url, response.Status, text)
	}
	return response.Header, text, err
}

// Media types of what a registry holds.
const (
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	ociManifest    = "application/vnd.oci.image.manifest.v1+json"
	dockerIndex    = "application/vnd.docker.distribution.manifest.list.v2+json"
	ociIndex       = "application/vnd.oci.image.index.v1+json"

	dockerConfig = "application/vnd.docker.container.image.v1+json"
	dockerLayer  = "application/vnd.docker.image.rootfs.diff.tar.gzip"
)

// manifest is a registry's manifest of an image.
type manifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Config        descriptor   `json:"config"`
	Layers        []descriptor `json:"layers"`
}

type descriptor struct {
	MediaType string `json:"mediaType"`
	Size      int    `json:"size"`
	Digest    string `json:"digest"`
}

func digestOf(content []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(content)) }

// blob puts content into a repository.
func (r *registry) blob(repository, mediaType string, content []byte) (descriptor, error) {
	header, _, err := r.do("POST", "/v2/"+repository+"/blobs/uploads/", "", nil)
	if err != nil {
		return descriptor{}, err
	}
	d := descriptor{mediaType, len(content), digestOf(content)}
	_, _, err = r.do("PUT", header.Get("Location")+"&digest="+d.Digest, "application/octet-stream", content)
	return d, err
}

// image is an image with one layer.
type image struct {
	architecture string
	environment  []string
	layer        []byte // a tar archive
}

// push puts an image into a repository and returns its name by digest.
func (r *registry) push(repository string, i image) (string, error) {
	var compressed bytes.Buffer
	writer, err := gzip.NewWriterLevel(&compressed, gzip.BestSpeed)
	if err != nil {
		return "", err
	}
	if _, err := writer.Write(i.layer); err != nil {
		return "", err
	}
	if err := writer.Close(); err != nil {
		return "", err
	}
	config, err := json.Marshal(map[string]any{
		"architecture": i.architecture, "os": "linux", "config": map[string]any{"Env": i.environment},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{digestOf(i.layer)}},
	})
	if err != nil {
		return "", err
	}
	m := manifest{SchemaVersion: 2, MediaType: dockerManifest}
	if m.Config, err = r.blob(repository, dockerConfig, config); err != nil {
		return "", err
	}
	layer, err := r.blob(repository, dockerLayer, compressed.Bytes())
	if err != nil {
		return "", err
	}
	m.Layers = []descriptor{layer}
	text, err := json.Marshal(m)
	if err != nil {
		return "", err
	}
	if _, _, err := r.do("PUT", "/v2/"+repository+"/manifests/"+digestOf(text), dockerManifest, text); err != nil {
		return "", err
	}
	return r.address + "/" + repository + "@" + digestOf(text), nil
}

// manifest reads the manifest of an image, by tag or digest, and its media type.
func (r *registry) manifest(repository, reference string) (m manifest, mediaType, digest string, err error) {
	header, text, err := r.do("GET", "/v2/"+repository+"/manifests/"+reference, "", nil)
	if err != nil {
		return m, "", "", err
	}
	err = json.Unmarshal(text, &m)
	return m, header.Get("Content-Type"), header.Get("Docker-Content-Digest"), err
}
