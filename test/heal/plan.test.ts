/** What a plan says: the calls of a healing in their order, by the rules that the healing itself asks. */
import { planText } from '../../src/heal/plan';
import {
  attachment,
  desiredOf,
  group,
  instance,
  networkInterface,
  NOW,
  observed,
  ownInterfaces,
  record,
  volume,
} from './healWorld';

const settingsOf = (example: Parameters<typeof desiredOf>[0]) => ({
  desired: desiredOf(example),
  region: 'us-west-2',
  endpoints: { ec2: '', autoscaling: '', sns: '' },
  topicArn: null,
  sweepMs: 60_000,
});

test('a network function that is whole: what would be done if its instance was lost', () => {
  const settings = settingsOf('network-function');
  const [identity] = settings.desired.identities;
  const place = { interfaceId: 'eni-of-fw1', instanceId: 'fw1-1', privateAddress: '10.0.0.4' };
  const seen = observed({
    groups: { fw1: group('fw1', [['fw1-1', 'InService']], { record: record({ owner: 'another' }) }) },
    instances: { 'fw1-1': instance('fw1-1') },
    interfaces: [
      ...ownInterfaces(identity!, 'fw1-1'),
      networkInterface('eni-primary', 'fw1-1', { attachment: attachment('eni-primary', 'fw1-1', 0) }),
    ],
    volumes: [volume('vol-0a1b2c3d4e5f60718', 'fw1-1')],
    elasticIps: { 'eipalloc-0a1b2c3d4e5f60718': { ...place, instanceId: 'fw1-1' } },
  });
  const decision = {
    identity: 'fw1',
    condition: 'whole' as const,
    reason: 'fw1 is whole',
    steps: [],
    questions: [],
    alarms: [],
    pace: 'sweep' as const,
    lookBy: null,
  };
  const text = planText(settings, { decisions: [decision], observed: seen, sent: 0 }, { reads: 7, now: NOW });
  const calls = text.split('\n').map((line) => line.replace(/:.*/, ''));
  expect(calls).toEqual([
    'fw1 (group fw1)',
    '  if its instance was lost',
    '  1. CreateOrUpdateTags',
    '  2. AttachNetworkInterface',
    '  2. AttachVolume',
    '  2. ModifyNetworkInterfaceAttribute',
    '  2. Publish + CreateOrUpdateTags',
    '  3. RebootInstances + CreateOrUpdateTags',
    '  4. CompleteLifecycleAction',
    '  5. Publish + CreateOrUpdateTags',
    '  = 11 writes; then',
    'Each look takes about 7 calls. A hook that lasts gets a heartbeat at each third of its timeout.',
    '',
  ]);
  expect(text).toContain(
    'then: fw1 is whole: the successor of fw1-1 is in service and has what belongs to it',
  );
});
