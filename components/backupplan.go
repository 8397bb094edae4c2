package components

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/backup"
	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const backupPlanType = "trade-processing:components:BackupPlan"

// BackupPlanArgs are the arguments of NewBackupPlan.
type BackupPlanArgs struct {
	// Scope is where the component is created. Default: the account and region of its provider.
	Scope Scope

	// PlanName is the physical name of vault, plan and selection, and begins those of the alarms: up to 50 letters, digits,
	// -, _ and .
	PlanName string `pulumi:"planName"`

	// RoleName is the physical name of the role that AWS Backup assumes: up to 64 letters, digits, -, _ and .
	RoleName pulumi.StringInput `pulumi:"roleName"`

	// KeyARN is the customer-managed key of the vault.
	KeyARN pulumi.StringInput `pulumi:"keyArn"`

	// AlarmTopicARN is the SNS topic that the alarms notify.
	AlarmTopicARN pulumi.StringInput `pulumi:"alarmTopicArn"`

	// ResourceARN is what is backed up.
	ResourceARN pulumi.StringInput `pulumi:"resourceArn"`

	// RetentionDays is how long a daily backup is kept: 1 to 36500. Default: 35, as far back as point-in-time recovery
	// reaches.
	RetentionDays int `pulumi:"retentionDays,optional"`

	// PermissionsBoundary is the ARN of the role's permissions boundary. Default: none.
	PermissionsBoundary pulumi.StringInput `pulumi:"permissionsBoundary,optional"`

	// DeletionProtection keeps a vault with backups from being destroyed, and refuses a plan that would.
	DeletionProtection bool `pulumi:"deletionProtection,optional"`
}

const defaultBackupRetentionDays = 35

// BackupPlan backs a resource up every day into its own vault. Point-in-time recovery of a table ends with the table; a
// vault outlives it. Alarms go off when a backup fails, and when there was none for more than a day.
type BackupPlan struct {
	pulumi.ResourceState

	VaultARN pulumi.StringOutput `pulumi:"vaultArn"`
	Alarms   Alarms
}

// NewBackupPlan creates a BackupPlan.
func NewBackupPlan(ctx *pulumi.Context, name string, given *BackupPlanArgs, opts ...pulumi.ResourceOption) (*BackupPlan, error) {
	args := given.withDefaults()
	b := &BackupPlan{}
	if err := register(ctx, backupPlanType, name, b, &args.Scope, args.check, opts); err != nil {
		return nil, err
	}

	vault, err := backup.NewVault(ctx, name+"-vault", &backup.VaultArgs{
		Name:         pulumi.String(args.PlanName),
		KmsKeyArn:    args.KeyARN,
		ForceDestroy: pulumi.Bool(!args.DeletionProtection),
	}, pulumi.Parent(b), pulumi.Protect(args.DeletionProtection))
	if err != nil {
		return nil, fmt.Errorf("creating vault %s: %w", name, err)
	}
	b.VaultARN = vault.Arn
	plan, err := backup.NewPlan(ctx, name+"-plan", &backup.PlanArgs{
		Name: pulumi.String(args.PlanName),
		Rules: backup.PlanRuleArray{&backup.PlanRuleArgs{
			RuleName:        pulumi.String("daily"),
			TargetVaultName: vault.Name,
			Schedule:        pulumi.String("cron(0 3 * * ? *)"), // 03:00 UTC, when no market of size is open
			Lifecycle:       &backup.PlanRuleLifecycleArgs{DeleteAfter: pulumi.Int(args.RetentionDays)},
		}},
	}, pulumi.Parent(b))
	if err != nil {
		return nil, fmt.Errorf("creating backup plan %s: %w", name, err)
	}
	role, attached, err := args.newRole(ctx, b, name)
	if err != nil {
		return nil, err
	}
	_, err = backup.NewSelection(ctx, name+"-selection", &backup.SelectionArgs{
		Name:       pulumi.String(args.PlanName),
		PlanId:     plan.ID(),
		IamRoleArn: role.Arn,
		Resources:  pulumi.StringArray{args.ResourceARN},
	}, pulumi.Parent(b), pulumi.DependsOn([]pulumi.Resource{attached}))
	if err != nil {
		return nil, fmt.Errorf("selecting what %s backs up: %w", name, err)
	}
	if b.Alarms, err = newAlarms(ctx, b, name, args.PlanName, args.AlarmTopicARN, args.alarms()); err != nil {
		return nil, err
	}
	return b, registerOutputs(ctx, name, b)
}

// alarms watch the vault's jobs (https://docs.aws.amazon.com/aws-backup/latest/devguide/cloudwatch.html).
func (args *BackupPlanArgs) alarms() []alarm {
	vault := pulumi.StringMap{"BackupVaultName": pulumi.String(args.PlanName)}
	return []alarm{
		{
			name: "backup-failed", description: fmt.Sprintf("A backup into vault %s failed. See the runbook: failed backups.", args.PlanName),
			namespace: "AWS/Backup", metric: "NumberOfBackupJobsFailed", dimensions: vault,
			statistic: "Sum", period: 5 * time.Minute, periods: 1, threshold: 1, comparison: atLeast,
		},
		{
			// A job that never starts fails nowhere. Two hours more than a day, because a backup may take longer than the last.
			name: "backup-missing", description: fmt.Sprintf("No backup into vault %s was completed in 26 hours. See the runbook: failed backups.", args.PlanName),
			namespace: "AWS/Backup", metric: "NumberOfBackupJobsCompleted", dimensions: vault,
			statistic: "Sum", period: time.Hour, periods: 26, threshold: 1, comparison: below, silenceBreaches: true,
		},
	}
}

func (args BackupPlanArgs) withDefaults() *BackupPlanArgs {
	if args.RetentionDays == 0 {
		args.RetentionDays = defaultBackupRetentionDays
	}
	return &args
}

func (args *BackupPlanArgs) check(name string) error {
	a := &arguments{component: name}
	a.scope(args.Scope)
	a.name("PlanName", args.PlanName, backupName)
	a.nameInput("RoleName", args.RoleName, roleName)
	a.given("KeyARN", args.KeyARN)
	a.given("AlarmTopicARN", args.AlarmTopicARN)
	a.given("ResourceARN", args.ResourceARN)
	a.between("RetentionDays", args.RetentionDays, 1, 36500)
	return a.err()
}

// newRole creates the role that AWS Backup assumes. Its policy is AWS's own: AWS keeps the list of what the service
// calls up to date.
func (args *BackupPlanArgs) newRole(ctx *pulumi.Context, b *BackupPlan, name string) (*awsiam.Role, pulumi.Resource, error) {
	// AWS Backup documents no condition for this trust, and a role can't be passed to it from another account
	// (https://docs.aws.amazon.com/aws-backup/latest/devguide/iam-service-roles.html).
	trusted, err := trust(backupService, nil)
	if err != nil {
		return nil, nil, err
	}
	role, err := newRole(ctx, b, name+"-role", roleArgs{
		name: args.RoleName, description: "Backs up for " + args.PlanName, trust: trusted, boundary: args.PermissionsBoundary,
	})
	if err != nil {
		return nil, nil, err
	}
	attached, err := awsiam.NewRolePolicyAttachment(ctx, name+"-role-policy", &awsiam.RolePolicyAttachmentArgs{
		Role:      role.Name,
		PolicyArn: pulumi.String("arn:" + args.Scope.Partition + ":iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"),
	}, pulumi.Parent(b))
	if err != nil {
		return nil, nil, fmt.Errorf("attaching the policy of role %s: %w", name, err)
	}
	return role, attached, nil
}
