/** The fault matrix, the addresses of EC2's endpoint: one that accepts connections and says nothing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EndpointName } from '../../lab/endpointName';
import type { Lab } from '../../lab/topology/topology';
import {
  daemonOf,
  moreObservations,
  openLab,
  record,
  role,
  rolesSince,
  takesOver,
  watching,
} from './support';

const [FIRST, SECOND] = ['127.0.0.2', '127.0.0.3'];

const tlsPath = (name: string) => join(__dirname, '../../lab/ec2-emulator/tls', name);
const trusting = { NODE_EXTRA_CA_CERTS: tlsPath('test-only-cert.pem') };

/** rtr1 is ACTIVE; rtr2 knows the endpoint by a name that has two addresses. */
async function openPairWithName(
  first: 'answers' | 'silent' | 'silentAfterTls',
): Promise<{ lab: Lab; start: () => Promise<void> }> {
  const lab = await openLab();
  if (first === 'silentAfterTls') {
    const [key = '', cert = ''] = ['key', 'cert'].map((part) =>
      readFileSync(tlsPath(`test-only-${part}.pem`), 'utf8'),
    );
    await lab.ec2.stop();
    await lab.ec2.open({ tls: { key, cert } });
    lab.writeConfig('rtr1');
  }
  const { port, protocol } = new URL(lab.ec2.url);
  const name = protocol === 'https:' ? 'localhost' : 'ec2.lab.internal';
  const endpoint = new EndpointName(lab.directory, [FIRST, SECOND], name);
  await lab.ec2.setAddress(FIRST, first);
  await lab.ec2.setAddress(SECOND, 'answers');
  const start = async () => {
    lab.writeConfig('rtr2', { ec2_private_endpoint_url: `${protocol}//${name}:${port}` });
    await watching(lab.startDaemon('rtr2', { env: { ...endpoint.env, ...trusting } }));
  };
  await role(lab.startDaemon('rtr1', { env: trusting }), 'ACTIVE');
  await start();
  return { lab, start };
}

test('an address of the endpoint turns silent with connections standing: the reads and the takeover go to the other', async () => {
  const { lab } = await openPairWithName('answers');
  const rtr2 = daemonOf(lab, 'rtr2');
  const since = rtr2.mark();
  await lab.ec2.setAddress(FIRST, 'silent');
  await record(rtr2, /"level":"warn".*"event":"endpoint-address-silent","address":"127\.0\.0\.2"/, since);
  await moreObservations(lab, 'rtr2', 2);
  expect(rolesSince(rtr2, since)).not.toContain('UNKNOWN');
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
});

test.each([
  ['once TCP', 'silent'],
  ['once TLS', 'silentAfterTls'],
] as const)(
  'the address that comes first is silent from the start on, %s is established: the daemon works by the other, also after a restart',
  async (_, first) => {
    const { lab, start } = await openPairWithName(first);
    await record(daemonOf(lab, 'rtr2'), /"event":"endpoint-address-silent","address":"127\.0\.0\.2"/);
    await daemonOf(lab, 'rtr2').kill();
    await start();
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  },
);

test('all addresses are silent, then one answers again: it is found, and the peer that died meanwhile is taken over from', async () => {
  const { lab } = await openPairWithName('answers');
  const rtr2 = daemonOf(lab, 'rtr2');
  await lab.ec2.setAddress(FIRST, 'silent');
  await lab.ec2.setAddress(SECOND, 'silent');
  await record(rtr2, /endpoint-address-silent.*127\.0\.0\.2/);
  await record(rtr2, /endpoint-address-silent.*127\.0\.0\.3/);
  await lab.killRouter('rtr1');
  await record(rtr2, /"reason":"[^"]*taking over/i);
  await lab.ec2.setAddress(FIRST, 'answers');
  await role(rtr2, 'ACTIVE');
  await record(rtr2, /"event":"endpoint-address-answers","address":"127\.0\.0\.2"/);
});
