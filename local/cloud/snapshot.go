package cloud

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// A saved cloud is a zip archive: resources.json, and an export of every table and queue under its ARN.
const (
	resourcesFile = "resources.json"
	tablesFolder  = "tables/"
	queuesFolder  = "queues/"
)

type savedResource struct {
	Type, Name, Region, ID string
	Inputs, Outputs        Properties
	Created                time.Time

	Order    int       `json:",omitempty"`
	Outlived *outlived `json:",omitempty"`
}

func (r *Resource) saved() savedResource {
	return savedResource{r.Type, r.Name, r.Region, r.ID, r.Inputs, r.Outputs, r.Created, r.order, r.outlived}
}

// Save writes the cloud's resources and the contents of its tables and queues. Metrics and alarm history aren't saved.
func (c *Cloud) Save(ctx context.Context, w io.Writer) error {
	if err := c.Drain(ctx); err != nil {
		return err
	}
	archive := zip.NewWriter(w)
	var saved []savedResource
	for _, r := range c.Resources() {
		saved = append(saved, r.saved())
	}
	err := add(archive, resourcesFile, func(w io.Writer) error { return json.NewEncoder(w).Encode(saved) })
	for arn, living := range c.live.tables.all() {
		if err == nil {
			err = add(archive, tablesFolder+arn, living.Export)
		}
	}
	for arn, living := range c.live.queues.all() {
		if err == nil {
			err = add(archive, queuesFolder+arn, living.Export)
		}
	}
	if err == nil {
		err = archive.Close()
	}
	if err != nil {
		return fmt.Errorf("saving the cloud: %w", err)
	}
	return nil
}

func add(archive *zip.Writer, name string, write func(io.Writer) error) error {
	file, err := archive.Create(name)
	if err != nil {
		return err
	}
	return write(file)
}

// Load brings a saved cloud back to life in an empty one.
func (c *Cloud) Load(from io.ReaderAt, size int64) error {
	archive, err := zip.NewReader(from, size)
	if err != nil {
		return fmt.Errorf("loading a cloud: %w", err)
	}
	var saved []savedResource
	if err := read(archive, resourcesFile, func(r io.Reader) error { return json.NewDecoder(r).Decode(&saved) }); err != nil {
		return err
	}
	if err := c.revive(saved); err != nil {
		return err
	}
	return c.refill(archive)
}

// revive makes saved resources live in order of creation. A replaced one is younger than those that refer to it, which
// are retried after it.
func (c *Cloud) revive(saved []savedResource) error {
	for len(saved) > 0 {
		var waiting []savedResource
		var problems []error
		for _, s := range saved {
			k, err := lookup(s.Type, s.Name)
			if err == nil {
				err = c.admit(k, &Resource{Type: s.Type, Name: s.Name, Region: s.Region, ID: s.ID, Inputs: s.Inputs, Outputs: s.Outputs, Created: s.Created, outlived: s.Outlived})
			}
			if err != nil {
				waiting, problems = append(waiting, s), append(problems, err)
			}
		}
		if len(waiting) == len(saved) {
			return errors.Join(problems...)
		}
		saved = waiting
	}
	return nil
}

// refill restores the contents of tables and queues.
func (c *Cloud) refill(archive *zip.Reader) error {
	for arn, living := range c.live.tables.all() {
		if _, err := c.live.replications.get(arn); err == nil {
			continue // a replica gets its items from its table
		}
		if err := read(archive, tablesFolder+arn, living.Import); err != nil {
			return err
		}
	}
	for arn, living := range c.live.queues.all() {
		if err := read(archive, queuesFolder+arn, living.Import); err != nil {
			return err
		}
	}
	return c.Drain(context.Background())
}

func read(archive *zip.Reader, name string, use func(io.Reader) error) error {
	file, err := archive.Open(name)
	if err != nil {
		return fmt.Errorf("loading a cloud: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read
	err = use(file)
	if err == nil {
		_, err = io.Copy(io.Discard, file) // to its end, where its checksum is
	}
	if err != nil {
		return fmt.Errorf("loading %s: %w", name, err)
	}
	return nil
}
