package engine_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"trade-processing/local/cloud"
)

// A lost table is added to its replica again before the engine looks: then the program adds what the table lacks, and replaces
// nothing. Without that, there would be an empty table that can't be given a replica.
func TestALostTableComesBackFromItsReplica(t *testing.T) {
	const name = "trade-processing-local-trades"
	d := newDesk(t, "local")
	d.set(map[string]any{"deletionProtection": true})
	d.up()
	d.trades("before", "system1")
	find := func(typ string) *cloud.Resource {
		for _, r := range d.cloud.Resources() {
			if r.Type == typ && (typ == cloud.KeyType || strings.HasPrefix(r.ID, name)) {
				return r
			}
		}
		t.Fatalf("there is no %s", typ)
		return nil
	}
	lose := func() {
		t.Helper()
		table := find(cloud.TableType)
		unprotected := maps.Clone(table.Inputs)
		unprotected["deletionProtectionEnabled"] = false
		_, err := d.cloud.Update(cloud.TableType, table.Region, table.ID, unprotected)
		if err == nil {
			err = d.cloud.Delete(cloud.TableType, table.Region, table.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	declared := find(cloud.TableType)
	lose()
	key, _ := find(cloud.KeyType).Outputs["arn"].(string)
	if err := d.cloud.AddReplica(find(cloud.ReplicaType), declared.Region, key); err != nil {
		t.Fatal(err)
	}
	if found := operations(d.refresh()); !slices.Equal(found, []string{"update"}) {
		t.Errorf("the engine found %q", found)
	}
	if done := operations(d.up()); !slices.Equal(done, []string{"update"}) {
		t.Errorf("the program did %q", done)
	}
	for property, want := range declared.Inputs {
		if got := find(cloud.TableType).Inputs[property]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %v, and was %v", property, got, want)
		}
	}
	if err := d.cloud.Drain(t.Context()); err != nil { // so that the report finds what was there before
		t.Fatal(err)
	}
	d.trades("after", "system1")

	lose()
	if found := changes(d.refresh()); found["delete "+cloud.TableType] != 1 || found["delete "+cloud.ReplicaType] != 1 {
		t.Errorf("the engine found %v", found)
	}
	if _, _, err := d.stack.Up(t.Context()); err == nil || !strings.Contains(err.Error(), "exists already in eu-west-1") {
		t.Errorf("beside the replica, a new table ends with %v", err)
	}
}
