package cloud_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/local/cloud"
)

func (w *world) putIn(region, id string) {
	w.t.Helper()
	table, err := w.Table(region, "orders")
	if err == nil {
		_, err = table.PutItem(w.t.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: map[string]types.AttributeValue{
			"id": &types.AttributeValueMemberS{Value: id},
		}})
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// A replica outlives its table, after a restart too. Added to it again, the table has all of its items, and each gets what is
// written in the other's region, after another restart too.
func TestAReplicaOutlivesItsTable(t *testing.T) {
	folder := t.TempDir()
	w := livingIn(t, folder)
	w.furnish()
	replica := func() *cloud.Resource {
		t.Helper()
		r, found := w.Read(cloud.ReplicaType, there, "orders:us-east-1")
		if !found {
			t.Fatal("the replica is gone")
		}
		return r
	}
	restart := func() {
		t.Helper()
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		w = livingIn(t, folder)
	}
	count := func(region string) int {
		t.Helper()
		table, err := w.Table(region, "orders")
		if err == nil {
			err = w.Drain(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		return table.Count()
	}
	w.putIn(here, "1")
	if n := count(there); n != 1 {
		t.Fatalf("the replica has %d items", n)
	}
	if err := w.Delete(cloud.TableType, here, "orders"); err != nil {
		t.Fatal(err)
	}
	if left := w.Replicas("orders"); len(left) != 0 {
		t.Errorf("%v is still replicated", left)
	}
	w.putIn(there, "2")
	restart()
	w.putIn(there, "3")
	if _, err := w.Table(here, "orders"); err == nil || count(there) != 3 {
		t.Fatalf("the table is there, or its replica has %d items", count(there))
	}
	if was := replica().Outlived(); was == nil || was.Region != there || was.Inputs["hashKey"] != "id" {
		t.Fatalf("it has outlived %+v", was)
	}
	if err := w.RestoreAsOf(time.Now(), replica().Outlived(), there, "restored", nil); err != nil {
		t.Error(err)
	}
	if err := w.AddReplica(replica(), "ap-south-1", ""); !isUnsupported(err) {
		t.Errorf("a third region ends with %v", err)
	}
	if err := w.AddReplica(replica(), here, ""); err != nil {
		t.Fatal(err)
	}
	if n := count(here); n != 3 || replica().Outlived() != nil {
		t.Errorf("the table has %d items again", n)
	}
	w.putIn(here, "4")
	restart()
	w.putIn(there, "5")
	if here, there := count(here), count(there); here != 5 || there != 5 {
		t.Errorf("they have %d and %d items", here, there)
	}
	if again, found := w.Read(cloud.TableType, here, "orders"); !found || again.Inputs["streamEnabled"] != true || again.Inputs["hashKey"] != "id" {
		t.Errorf("the table is %+v", again)
	}
	defer w.Close() //nolint:errcheck // the test is over
	for _, r := range []struct{ typ, region, id string }{{cloud.ReplicaType, there, "orders:us-east-1"}, {cloud.TableType, here, "orders"}} {
		if err := w.Delete(r.typ, r.region, r.id); err != nil {
			t.Error(err)
		}
	}
	if err := w.AddReplica(&cloud.Resource{Type: cloud.TableType, ID: "orders"}, there, ""); err == nil {
		t.Error("a replica is added to no table")
	}
}

// A table that is made anew, instead of being added to the replica, is another one, and stays so. The replica is made anew too
// before it has what the table has.
func TestATableMadeAnewDoesNotJoinWhatOutlivedItsPredecessor(t *testing.T) {
	folder := t.TempDir()
	w := livingIn(t, folder)
	w.furnish()
	try := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	counts := func(wantHere, wantThere int) {
		t.Helper()
		for range 2 {
			for region, want := range map[string]int{here: wantHere, there: wantThere} {
				table, err := w.Table(region, "orders")
				try(err)
				try(w.Drain(t.Context()))
				if n := table.Count(); n != want {
					t.Errorf("in %s there are %d items, want %d", region, n, want)
				}
			}
			try(w.Close())
			w = livingIn(t, folder)
		}
	}
	w.putIn(here, "1")
	counts(1, 1)
	try(w.Delete(cloud.TableType, here, "orders"))
	_, err := w.Create(cloud.TableType, "orders", here, tableInputs())
	try(err)
	counts(0, 1)
	w.putIn(here, "2")
	counts(1, 1)
	if left := w.Replicas("orders"); len(left) != 0 {
		t.Errorf("the table is replicated to %v", left)
	}
	replica := cloud.Properties{"globalTableArn": cloud.TableARN(here, "orders")}
	if _, err := w.Create(cloud.ReplicaType, "orders", there, replica); err == nil {
		t.Error("the table gets a replica where there is another table")
	}
	try(w.Delete(cloud.ReplicaType, there, "orders:us-east-1"))
	_, err = w.Create(cloud.ReplicaType, "orders", there, replica)
	try(err)
	w.putIn(here, "3")
	counts(2, 2)

	// A process that is killed while it adds a table again leaves it to the next.
	try(w.Delete(cloud.TableType, here, "orders"))
	_, err = w.Create(cloud.TableType, "orders", here, tableInputs())
	try(err)
	w.Adding(there, "orders:us-east-1")
	try(w.Close())
	w = livingIn(t, folder)
	counts(2, 2)
	if left := w.Replicas("orders"); len(left) != 1 {
		t.Errorf("the table is replicated to %v", left)
	}
	try(w.Close())
}
