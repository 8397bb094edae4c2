package cases

func provenanceCases() []Case {
	const (
		aws, queue       = "pulumi:providers:aws", "aws:sqs/queue:Queue"
		table            = "aws:dynamodb/table:Table"
		replication      = "aws:ecr/replicationConfiguration:ReplicationConfiguration"
		plan             = "aws:backup/plan:Plan"
		regions, copying = "regions-allowed", "regions-of-copies-allowed"
	)
	destinations := func(names ...string) in {
		var all list
		for _, name := range names {
			all = append(all, in{"region": name, "registryId": Account})
		}
		return in{"replicationConfiguration": in{"rules": list{in{"destinations": all}}}}
	}
	return []Case{
		breaks(regions, "a provider of a region that isn't allowed", one(aws, in{"region": "ap-southeast-2"}), `region is "ap-southeast-2". Allowed: eu-*, us-*.`),
		breaks(regions, "a provider that leaves the region to the shell", one(aws, in{"skipMetadataApiCheck": "true"}), "region is missing, so each shell decides for itself."),
		breaks(regions, "a resource with a region of its own", one(queue, in{"region": "sa-east-1"}), `region is "sa-east-1".`),
		keeps(regions, "a provider of an allowed region", one(aws, in{"region": "eu-west-1"})),
		keeps(regions, "a resource in its provider's region", one(queue, in{"name": "q"})),
		keeps(regions, "a region that the firm allows", one(aws, in{"region": "ap-southeast-2"})).with("regions", texts("ap-southeast-2", "us-east-1")),

		breaks(copying, "a replica of a table", one(table, in{"replicas": list{in{"regionName": "eu-west-1"}, in{"regionName": "me-south-1"}}}), `replicas copies to "me-south-1". Allowed: eu-*, us-*.`),
		breaks(copying, "copies of images", one(replication, destinations("eu-west-1", "cn-north-1")), `replicationConfiguration.rules.destinations copies to "cn-north-1".`),
		breaks(copying, "copies of backups", one(plan, in{"rules": list{in{"copyActions": list{in{"destinationVaultArn": "arn:aws:backup:af-south-1:111122223333:backup-vault:v"}}}}}), `rules.copyActions copies to "af-south-1".`),
		keeps(copying, "a replica in an allowed region", one(table, in{"replicas": list{in{"regionName": "eu-west-1"}}})),
		keeps(copying, "copies of images in an allowed region", one(replication, destinations("eu-west-1"))),
		keeps(copying, "copies of backups in an allowed region", one(plan, in{"rules": list{in{"copyActions": list{in{"destinationVaultArn": "arn:aws:backup:us-west-2:111122223333:backup-vault:v"}}}}})),
		keeps(copying, "a vault that isn't named by an ARN", one(plan, in{"rules": list{in{"copyActions": list{in{"destinationVaultArn": "v"}}}}})),
		keeps(copying, "a plan without copies", one(plan, in{"rules": list{in{"ruleName": "daily"}}})),
		keeps(copying, "a replica that doesn't say where", one(table, in{"replicas": list{in{"propagateTags": true}}})),

		breaks("providers-allowed", "a provider that the firm doesn't know", one("pulumi:providers:acme", in{}), "type is that of provider acme."),
		keeps("providers-allowed", "Pulumi's own provider for AWS", one(aws, in{"region": "us-east-1"})),
		keeps("providers-allowed", "a provider that the firm allows", one("pulumi:providers:acme", in{})).with("providers", texts("acme", "aws")),

		breaks("provider-versions", "an old version", one(aws, in{"region": "us-east-1", "version": "5.43.0"}), "version is 5.43.0. Allowed: >=6.0.0 <8.0.0."),
		breaks("provider-versions", "a version that is too new for the firm", one(aws, in{"region": "us-east-1", "version": "7.1.0"}), "version is 7.1.0. Allowed: >=6.0.0 <7.0.0.").with("versions", in{"aws": ">=6.0.0 <7.0.0"}),
		keeps("provider-versions", "an allowed version", one(aws, in{"region": "us-east-1", "version": "6.83.2"})),
		keeps("provider-versions", "a provider that doesn't say", one(aws, in{"region": "us-east-1"})),
		keeps("provider-versions", "a provider without a range", one("pulumi:providers:acme", in{"version": "0.0.1"})),

		breaks("provider-download", "a provider from elsewhere", one(aws, in{"region": "us-east-1", "pluginDownloadURL": "https://plugins.example.com"}), `pluginDownloadURL is "https://plugins.example.com".`),
		keeps("provider-download", "a provider from GitHub", one(aws, in{"region": "us-east-1", "pluginDownloadURL": "github://api.github.com/pulumi"})),
		keeps("provider-download", "a provider that doesn't say", one(aws, in{"region": "us-east-1"})),
		keeps("provider-download", "an address that the firm allows", one(aws, in{"region": "us-east-1", "pluginDownloadURL": "https://plugins.example.com"})).with("urls", texts("https://plugins.example.com")),
	}
}
