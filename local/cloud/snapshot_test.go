package cloud_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"trade-processing/local/cloud"
)

// reopened saves a world's cloud and loads it into an empty one.
func (w *world) reopened() *world {
	w.t.Helper()
	var saved bytes.Buffer
	done := make(chan error, 1)
	go func() { done <- w.Save(w.t.Context(), &saved) }()
	err := w.wait(done)
	if err != nil {
		w.t.Fatal(err)
	}
	again := emptyWorld(w.t, cloud.Options{})
	go func() { done <- again.Load(bytes.NewReader(saved.Bytes()), int64(saved.Len())) }()
	if err := again.wait(done); err != nil {
		w.t.Fatal(err)
	}
	for name, r := range w.made {
		if found, ok := again.Read(r.Type, r.Region, r.ID); ok {
			again.made[name] = found
		}
	}
	return again
}

// wait moves the clock until something is done: waiting for replicas goes by the clock.
func (w *world) wait(done <-chan error) error {
	for {
		select {
		case err := <-done:
			return err
		default:
			w.clock.AdvanceToNext()
		}
	}
}

func TestAKeptCloudGoesOnWhereItWas(t *testing.T) {
	w := newWorld(t)
	for i := range 20 {
		w.expect(fmt.Sprintf(`{"id": "%d"}`, i), "hello kept")
	}
	w.expect(`{"fail": "Broken"}`, "failed: Broken, kept in failures as Broken")
	w.update(cloud.FunctionType, "keeper", functionInputs(w.resource(cloud.ImageType, "keeper"), "goodbye"))
	w.update(cloud.FunctionAliasType, "keeper", cloud.Properties{"functionVersion": "2"})

	again := w.reopened()
	if got, want := again.Resources(), w.Resources(); len(got) != len(want) {
		t.Fatalf("%d resources became %d", len(want), len(got))
	}
	for i, r := range again.Resources() {
		before := w.Resources()[i]
		if r.Type != before.Type || r.ID != before.ID || r.Region != before.Region || !reflect.DeepEqual(r.Inputs, before.Inputs) {
			t.Errorf("%s %s came back as %+v", before.Type, before.ID, r)
		}
	}
	if depth := again.queue("failures").State().Depth(); depth != 1 {
		t.Errorf("queue failures holds %d messages", depth)
	}
	for _, region := range []string{here, there} {
		before, err := w.Table(region, "orders")
		if err != nil {
			t.Fatal(err)
		}
		after, err := again.Table(region, "orders")
		if err != nil {
			t.Fatal(err)
		}
		if after.Count() != 20 || after.Digest() != before.Digest() {
			t.Errorf("%s: %d orders came back as %d", region, before.Count(), after.Count())
		}
	}
	for i := range 20 {
		again.expect(fmt.Sprintf(`{"id": "%d"}`, i), "goodbye duplicate")
	}
	again.expect(`{"id": "new"}`, "goodbye kept")
	again.update(cloud.FunctionType, "keeper", functionInputs(again.resource(cloud.ImageType, "keeper"), "again"))
	again.update(cloud.FunctionAliasType, "keeper", cloud.Properties{"functionVersion": "3"})
	again.expect(`{"id": "new"}`, "again duplicate")
}

// The engine compares the version output: it keeps counting in a kept cloud.
func TestAKeptParameterKeepsItsVersion(t *testing.T) {
	w := newWorld(t)
	w.create(cloud.ParameterType, "/orders/limit", cloud.Properties{"name": "/orders/limit", "type": "String", "value": "1"})
	w.update(cloud.ParameterType, "/orders/limit", cloud.Properties{"value": "2"})
	again := w.reopened()
	if version := fmt.Sprint(again.resource(cloud.ParameterType, "/orders/limit").Outputs["version"]); version != "2" {
		t.Errorf("version 2 came back as %s", version)
	}
	again.update(cloud.ParameterType, "/orders/limit", cloud.Properties{"value": "3"})
	if version := fmt.Sprint(again.resource(cloud.ParameterType, "/orders/limit").Outputs["version"]); version != "3" {
		t.Errorf("the version after 2 is %s", version)
	}
}

// A resource may be recreated after those that refer to it, under the same ARN, for instance when a state machine
// becomes an express one. Its alias goes with it.
func TestAKeptCloudWhoseResourcesWereReplaced(t *testing.T) {
	w := newWorld(t)
	alias := w.resource(cloud.MachineAliasType, "orders").Inputs
	w.delete(cloud.MachineType, "orders")
	inputs := machineInputs(definition(w.url("failures")))
	inputs["type"] = "EXPRESS"
	w.create(cloud.MachineType, "orders", inputs)
	w.create(cloud.MachineAliasType, "orders", alias)
	w.expect(`{"id": "1"}`, "hello kept")
	w.reopened().expect(`{"id": "1"}`, "hello duplicate")
}

func TestSavingTwiceGivesTheSame(t *testing.T) {
	w := newWorld(t)
	w.expect(`{"id": "1"}`, "hello kept")
	digest := func(w *world) string {
		table, err := w.Table(here, "orders")
		if err != nil {
			t.Fatal(err)
		}
		return table.Digest()
	}
	once := w.reopened()
	if twice := once.reopened(); digest(twice) != digest(w) || len(twice.Resources()) != len(w.Resources()) {
		t.Error("the second copy differs from the first")
	}
}

func TestWhatCanNotBeLoaded(t *testing.T) {
	archive := func(files map[string]string) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for name, content := range files {
			file, err := z.Create(name)
			if err == nil {
				_, err = io.WriteString(file, content)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	stored := func(resources string) []byte { // as it is, so that a changed byte is no error of the compression
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		file, err := z.CreateHeader(&zip.FileHeader{Name: "resources.json", Method: zip.Store})
		if err == nil {
			_, err = io.WriteString(file, resources)
		}
		if err = errors.Join(err, z.Close()); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for _, tc := range []struct {
		name  string
		saved []byte
		want  string
	}{
		{"nothing", nil, "loading a cloud: zip: not a valid zip file"},
		{"no resources", archive(nil), "loading a cloud: open resources.json"},
		{"resources that are no JSON", archive(map[string]string{"resources.json": "{"}), "loading resources.json: unexpected EOF"},
		{"resources that changed on the disk", bytes.Replace(stored("[]\n\n\n\n"), []byte("[]\n"), []byte("[] "), 1), "loading resources.json: zip: checksum error"},
		{"a type that is no longer known", archive(map[string]string{"resources.json": `[{"Type": "aws:s3/bucket:Bucket", "Name": "b"}]`}),
			`aws:s3/bucket:Bucket "b": the local cloud does not know this resource type`},
		{"a queue without what it holds", archive(map[string]string{
			"resources.json": `[{"Type": "aws:sqs/queue:Queue", "Name": "q", "Region": "us-east-1", "ID": "https://sqs.us-east-1.amazonaws.com/000000000000/q",
				"Inputs": {"name": "q"}, "Outputs": {"name": "q", "arn": "arn:aws:sqs:us-east-1:000000000000:q"}}]`,
		}), "loading a cloud: open queues/arn:aws:sqs:us-east-1:000000000000:q"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := cloud.New(cloud.Options{}).Load(bytes.NewReader(tc.saved), int64(len(tc.saved)))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}
