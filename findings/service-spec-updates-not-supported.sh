#!/usr/bin/env bash
# @aws-cdk/aws-service-spec cannot say that CloudFormation refuses an update.
#
# CloudFormation documents four behaviours of an update: no interruption, some interruption, replacement, and "updates are
# not supported", where the update fails. The zone of an AWS::EC2::Volume is of the last kind:
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-volume.html
# In the specification a property has `causesReplacement` yes, no or maybe. The zone of a volume has none, just as its size
# and its tags, which do change in place. The zone of an instance, which is replaced, has "yes". So who takes "no
# replacement" for "changes in place" promises an update that fails. Seen with 0.1.216.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --prefix "$folder" --no-audit --no-fund --silent \
  @aws-cdk/aws-service-spec@0.1.216 @aws-cdk/service-spec-types@0.0.282
cd "$folder"
seen=$(node -e "
const { loadAwsServiceSpecSync } = require('@aws-cdk/aws-service-spec');
const specification = loadAwsServiceSpecSync();
const says = (type, property) => {
  const [found] = specification.lookup('resource', 'cloudFormationType', 'equals', type);
  console.log(type, property, String(found.properties[property].causesReplacement));
};
says('AWS::EC2::Volume', 'AvailabilityZone');
says('AWS::EC2::Volume', 'Size');
says('AWS::EC2::Instance', 'AvailabilityZone');
")
printf '%s\n' "$seen"
diff <(printf '%s\n' "$seen") - <<'EXPECTED'
AWS::EC2::Volume AvailabilityZone undefined
AWS::EC2::Volume Size undefined
AWS::EC2::Instance AvailabilityZone yes
EXPECTED
