package cloud

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"trade-processing/local/awsapi"
	"trade-processing/local/table"
)

// replicationLag is how long a write takes to reach another region's replica; AWS speaks of less than a second as a
// rule. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
const replicationLag = 500 * time.Millisecond

// startReplica creates a table with the primary's definition and contents; one that has outlived the primary, with the
// definition alone.
func startReplica(c *Cloud, r *Resource) error {
	def, primary, err := c.replicated(r)
	if err != nil {
		return err
	}
	if def.Region == r.Region {
		return fmt.Errorf("the replica is in %s, the table's own region; give it the provider of another", r.Region)
	}
	def.Region, def.DeletionProtection = r.Region, false
	replica, err := c.newTable(r, def)
	if err == nil && primary != nil {
		err = c.join(primary, replica, r.itsARN())
	}
	if err != nil {
		return err
	}
	c.live.tables.put(r.itsARN(), replica)
	return nil
}

// replicated returns what a replica replicates: a definition, and its table, unless the replica has outlived it.
func (c *Cloud) replicated(r *Resource) (table.Definition, *table.Table, error) {
	if r.outlived != nil {
		in, err := decode[tableInputs](r.outlived.Table)
		return in.definition(""), nil, err
	}
	primary, err := c.live.tables.get(r.Inputs.text("globalTableArn"))
	if err != nil {
		return table.Definition{}, nil, err
	}
	return primary.Definition(), primary, nil
}

// join has a table and a replica send each other what they hold and what is written from now on: global tables are written
// to in every region.
func (c *Cloud) join(primary, replica *table.Table, itsARN string) error {
	there, err := primary.Replicate(replica, replicationLag)
	if err != nil {
		return err
	}
	back, err := replica.Replicate(primary, replicationLag)
	if err != nil {
		there.Stop()
		return err
	}
	c.live.replications.put(itsARN, []*table.Replication{there, back})
	return nil
}

// outlived is what a replica needs to go on without its table, which was deleted.
type outlived struct {
	Table Properties // its inputs
	Added bool       `json:",omitempty"` // it is being added again; a process that is killed then leaves that to the next
}

// leave has the replicas of a deleted table go on without it.
func (c *Cloud) leave(deleted *Resource) {
	for _, replica := range c.replicasOf(deleted.itsARN()) {
		c.live.replications.drop(replica.itsARN())
		c.outlive(replica, &outlived{Table: deleted.Inputs})
	}
}

func (c *Cloud) outlive(replica *Resource, was *outlived) {
	changed := *replica
	changed.outlived = was
	c.mu.Lock()
	c.record(&changed)
	c.mu.Unlock()
}

// rejoin joins a table with the replicas to which it is being added. One that is made otherwise has nothing to do with those
// that have outlived its predecessor.
func (c *Cloud) rejoin(r *Resource, primary *table.Table) error {
	for _, of := range c.replicasOf(r.itsARN()) {
		if of.outlived == nil || !of.outlived.Added {
			continue
		}
		replica, err := c.live.tables.get(of.itsARN())
		if err == nil {
			err = c.join(primary, replica, of.itsARN())
		}
		if err != nil {
			return err
		}
		c.outlive(of, nil)
	}
	return nil
}

// replicasOf lists the replicas of a table, by its ARN.
func (c *Cloud) replicasOf(itsARN string) []*Resource {
	return slices.DeleteFunc(c.Resources(), func(r *Resource) bool { return r.Type != ReplicaType || r.Inputs.text("globalTableArn") != itsARN })
}

// Outlived returns the deleted table that a replica has outlived, as the replica goes on, or nil if it wasn't deleted.
func (r *Resource) Outlived() *Resource {
	if r.outlived == nil {
		return nil
	}
	name, _, _ := strings.Cut(r.ID, ":")
	return &Resource{Type: TableType, Name: name, Region: r.Region, ID: name, Inputs: r.outlived.Table, Created: r.Created}
}

// AddReplica adds a replica in a region to a table, or to one of its replicas, under a key, given by its ARN. To a replica
// that has outlived its table, that is the table again, without what AWS keeps in each region apart.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_MGCreateDelete.html
func (c *Cloud) AddReplica(of *Resource, region, key string) error {
	if deleted := of.Outlived(); deleted != nil {
		return c.addAgain(deleted, of, region, key)
	}
	name, _, _ := strings.Cut(of.ID, ":")
	inputs := Properties{"globalTableArn": of.itsARN()}
	if of.Type == ReplicaType {
		inputs["globalTableArn"] = of.Inputs["globalTableArn"]
	}
	if key != "" {
		inputs["kmsKeyArn"] = key
	}
	_, err := c.Create(ReplicaType, name, region, inputs)
	return err
}

// addAgain adds a deleted table to the replica that has outlived it.
func (c *Cloud) addAgain(deleted, replica *Resource, region, key string) error {
	if replica.Inputs.text("globalTableArn") != TableARN(region, deleted.ID) {
		return &awsapi.Unsupported{Operation: "UpdateTable", Feature: "a replica in another region than the deleted table's"}
	}
	inputs := likewise(deleted.Inputs, deleted.ID, "streamEnabled", "streamViewType", "ttl")
	if key != "" {
		inputs["serverSideEncryption"] = map[string]any{"enabled": true, "kmsKeyArn": key}
	}
	c.outlive(replica, &outlived{deleted.Inputs, true})
	_, err := c.Create(TableType, deleted.ID, region, inputs)
	if err != nil {
		c.outlive(replica, replica.outlived)
	}
	return err
}

// likewise returns the inputs of a table of another name that is like one with these inputs, with further ones of them.
func likewise(of Properties, name string, further ...string) Properties {
	inputs := Properties{"name": name}
	for _, property := range append(further, "hashKey", "rangeKey", "attributes", "billingMode", "globalSecondaryIndexes", "onDemandThroughput", "serverSideEncryption") {
		if value, there := of[property]; there {
			inputs[property] = value
		}
	}
	return inputs
}

// Replica is one copy of a table in another region.
type Replica struct {
	Region string
	Table  *table.Table
	Behind int // writes that have not arrived yet
}

// Replicas lists the copies of a table in other regions, in order of region.
func (c *Cloud) Replicas(name string) []Replica {
	var replicas []Replica
	for itsARN, ways := range c.live.replications.all() {
		copied, err := c.live.tables.get(itsARN)
		if err != nil || afterLast(itsARN, "/") != name {
			continue
		}
		replicas = append(replicas, Replica{Region: copied.Definition().Region, Table: copied, Behind: ways[0].Pending()})
	}
	slices.SortFunc(replicas, func(a, b Replica) int { return strings.Compare(a.Region, b.Region) })
	return replicas
}

// Drain waits until every write so far has reached every replica.
func (c *Cloud) Drain(ctx context.Context) error {
	for _, ways := range c.live.replications.all() {
		for _, way := range ways {
			if err := way.Drain(ctx); err != nil {
				return fmt.Errorf("waiting for replication: %w", err)
			}
		}
	}
	return nil
}
