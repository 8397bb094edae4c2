package cloud

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"trade-processing/local/access"
	"trade-processing/local/awsapi"
	"trade-processing/local/disk"
)

// Backup is a job of AWS Backup that has backed a table up, and its recovery point.
// https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupJob.html
type Backup struct {
	ID, Token    string // of the job; the token makes a second call with it the same
	Region       string
	Vault        string     // name
	Table, Point string     // ARNs
	Role         string     // ARN
	Days         int        // until it is deleted, which never happens here; 0: it is kept
	Inputs       Properties // of the table
	Began, Ended time.Time
	Bytes        int
}

const (
	backupKeys = "backup/"      // of a Backup, by its recovery point
	savedKeys  = "backup-items" // of a recovery point's items
)

// Backups lists the backups of a region, the oldest first. A cloud in memory has none.
func (c *Cloud) Backups(region string) []Backup {
	if c.disk == nil {
		return nil
	}
	var found []Backup
	for key, value := range c.disk.Scan(backupKeys, after(backupKeys), false) {
		var b Backup
		if err := json.Unmarshal([]byte(value), &b); err != nil {
			c.disk.Damaged(fmt.Errorf("reading %q: %w", key, err))
		}
		if b.Region == region {
			found = append(found, b)
		}
	}
	slices.SortFunc(found, func(a, b Backup) int { return a.Began.Compare(b.Began) })
	return found
}

// BackUp backs a table up into a vault, as it is when the backup begins. Whose vault, table, role, token and days b has; the
// rest is returned. AWS Backup's documentation shows both forms of a recovery point's ARN; this is that of one that DynamoDB keeps.
// https://docs.aws.amazon.com/aws-backup/latest/devguide/API_StartBackupJob.html
func (c *Cloud) BackUp(b Backup, of *Resource) (Backup, error) {
	if c.disk == nil {
		return b, &awsapi.Unsupported{Operation: "StartBackupJob", Feature: "a cloud in memory"}
	}
	if err := c.BackupAssumes(b.Region, b.Role); err != nil {
		return b, err
	}
	living, err := c.live.tables.get(b.Table)
	if err != nil {
		return b, err
	}
	b.ID, b.Began, b.Inputs = c.uuid(), c.clock.Now(), of.Inputs
	b.Point = fmt.Sprintf("%s/backup/%017d-%s", b.Table, b.Began.UnixMilli(), c.hex(8))
	into := &saving{on: c.disk, low: savedFrom(b.Point)}
	if err := living.Export(into); err != nil {
		return b, err
	}
	b.Ended, b.Bytes = c.clock.Now(), into.bytes
	text, _ := json.Marshal(b) // plain values
	c.disk.Write(disk.Change{Key: backupKeys + b.Point, Value: string(text)})
	// https://docs.aws.amazon.com/aws-backup/latest/devguide/cloudwatch.html
	c.in(b.Region).metrics.Series("AWS/Backup", "NumberOfBackupJobsCompleted", map[string]string{"BackupVaultName": b.Vault}).Add(b.Ended, 1)
	return b, nil
}

// BackupAssumes refuses a role that AWS Backup may not assume. What the role may do is in policies of AWS's, which aren't known here.
func (c *Cloud) BackupAssumes(region, role string) error {
	const job = "job"
	c.mu.RLock()
	then := access.New(Account, c.accessed(&Resource{Type: "aws:backup/selection:Selection", Region: region, ID: job, Outputs: Properties{"iamRoleArn": role}}))
	c.mu.RUnlock()
	by := access.Selection(region, Account, job)
	if then.Check(access.BackUp, by, by, "") != nil {
		return awsapi.Error("InvalidParameterValueException", "IAM Role %s cannot be assumed by AWS Backup", role)
	}
	return nil
}

// Restore makes a new table of a backup, with its data and indexes.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/backuprestore_HowItWorks.html
func (c *Cloud) Restore(b Backup, name string, encryption any) error {
	low := savedFrom(b.Point)
	from := &saved{}
	from.next, from.stop = iter.Pull2(c.disk.Scan(low, after(low), false))
	defer from.stop()
	return c.restoreFrom(from, b.Inputs, b.Region, name, encryption)
}

// RestoreAsOf makes a new table of another one in the region, with its data as it was at a time, and its indexes.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_HowItWorks.html
func (c *Cloud) RestoreAsOf(at time.Time, of *Resource, region, name string, encryption any) error {
	if c.disk == nil {
		return &awsapi.Unsupported{Operation: "RestoreTableToPointInTime", Feature: "a cloud in memory"}
	}
	living, err := c.live.tables.get(TableARN(region, of.ID))
	if err != nil {
		return err
	}
	export, into := io.Pipe()
	go func() { into.CloseWithError(living.ExportAsOf(into, at)) }()
	defer export.Close() //nolint:errcheck // it has none
	return c.restoreFrom(export, of.Inputs, region, name, encryption)
}

// restoreFrom makes a new table like one with these inputs, with the items of an export.
func (c *Cloud) restoreFrom(export io.Reader, of Properties, region, name string, encryption any) error {
	inputs := likewise(of, name)
	if encryption != nil {
		inputs["serverSideEncryption"] = encryption
	}
	made, err := c.Create(TableType, name, region, inputs)
	if err != nil {
		return err
	}
	living, err := c.live.tables.get(made.itsARN())
	if err != nil {
		return err
	}
	return living.Import(export)
}

// emptyVault deletes a vault's recovery points, or refuses that.
// https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DeleteBackupVault.html
func emptyVault(c *Cloud, r *Resource) error {
	for _, b := range c.Backups(r.Region) {
		if b.Vault != r.ID {
			continue
		}
		if r.Inputs["forceDestroy"] != true {
			return errors.New("InvalidRequestException: Backup vault cannot be deleted because it contains recovery points")
		}
		low := savedFrom(b.Point)
		c.disk.Clear(low, after(low))
		c.disk.Write(disk.Change{Key: backupKeys + b.Point, Delete: true})
	}
	return nil
}

func savedFrom(point string) string { return savedKeys + point + "\x00" }

// saving writes what an export writes, piece by piece.
type saving struct {
	on            *disk.Store
	low           string
	pieces, bytes int
}

func (s *saving) Write(p []byte) (int, error) {
	s.on.Write(disk.Change{Key: s.low + string(binary.BigEndian.AppendUint32(nil, uint32(s.pieces))), Value: string(p)})
	s.pieces, s.bytes = s.pieces+1, s.bytes+len(p)
	return len(p), nil
}

// saved reads it.
type saved struct {
	next func() (key, piece string, there bool)
	stop func()
	left string
}

func (s *saved) Read(p []byte) (int, error) {
	for s.left == "" {
		var there bool
		if _, s.left, there = s.next(); !there {
			return 0, io.EOF
		}
	}
	n := copy(p, s.left)
	s.left = s.left[n:]
	return n, nil
}
