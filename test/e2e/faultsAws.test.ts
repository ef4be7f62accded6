/** The fault matrix, what surrounds EC2: the metadata service, the credentials that it gives out, and DNS. */
import { EndpointName } from '../../lab/endpointName';
import type { ImdsFaultInput } from '../../lab/imds-emulator/faults';
import type { Lab } from '../../lab/topology/topology';
import { eventually } from '../support/eventually';
import {
  attemptsBegun,
  daemonOf,
  hasTakenOver,
  moveOf,
  nothingMoves,
  openLab,
  openPair,
  reason,
  record,
  roleOf,
  rolesSince,
  shownState,
  takesOver,
  watching,
  writes,
} from './support';

const CREDENTIALS = 'meta-data/iam/security-credentials/*';

describe('IMDS', () => {
  test('is gone after the start: the takeover needs nothing of it', async () => {
    const lab = await openPair();
    await lab.stopImds('rtr2');
    await nothingMoves(lab, 'rtr2');
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });

  test('takes 3 s for each answer at the start: UNKNOWN until it is quicker', async () => {
    const lab = await openLab();
    const { imds } = lab.routers.rtr2;
    const slow = imds.addFault({ kind: 'latency', ms: 3000 });
    lab.startDaemon('rtr1');
    const rtr2 = lab.startDaemon('rtr2');
    const complaint = await record(rtr2, /"event":"identity-unread".*no answer within 1000 ms/);
    expect(complaint.level).toBe('warn');
    expect(rolesSince(rtr2, 0)).toEqual(['UNKNOWN']);
    imds.removeFault(slow);
    await record(rtr2, /"event":"identified"/);
    await watching(rtr2);
    expect(writes(lab)).toEqual([]);
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });

  test('is that of the peer: the configuration does not fit, exit 2', async () => {
    const lab = await openLab();
    const rtr2 = lab.startDaemon('rtr2', {
      env: { AWS_EC2_METADATA_SERVICE_ENDPOINT: lab.routers.rtr1.imdsUrl },
    });
    expect(await rtr2.exited).toEqual({ code: 2, signal: null });
    expect(rtr2.text).toMatch(/bfd_sessions\[0\]\.neigh_ip: 172\.31\.101\.101 is this router's own address/);
    expect(writes(lab)).toEqual([]);
  });

  test("gives the peer's instance id beside the own interfaces: not believed, asked again", async () => {
    const lab = await openLab();
    const { imds } = lab.routers.rtr2;
    const text = lab.plan.instanceId.rtr1;
    const lie = imds.addFault({ kind: 'wrongContent', text, action: 'meta-data/instance-id' });
    lab.startDaemon('rtr1');
    const rtr2 = lab.startDaemon('rtr2');
    await record(rtr2, /"event":"identified".*i-0a1f93c7d25be8401/);
    await reason(
      rtr2,
      /EC2 could not be observed \(MalformedAnswer: IMDS names other interfaces for i-\w+ than/,
    );
    expect(rolesSince(rtr2, 0)).toEqual(['UNKNOWN']);
    await nothingMoves(lab, 'rtr2');
    imds.removeFault(lie);
    await watching(rtr2);
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });
});

type Wrong = { readonly fault: ImdsFaultInput; readonly problem: RegExp };

/** What IMDS may give in place of credentials. */
const wrong: Readonly<Record<string, Wrong>> = {
  'the name of a role that it does not know': {
    fault: { kind: 'wrongContent', text: 'somebody-elses', action: 'meta-data/iam/security-credentials/' },
    problem: /IMDS answers 404 to iam\/security-credentials\/somebody-elses/,
  },
  'a document that is not JSON': {
    fault: { kind: 'malformed', as: 'truncated', action: 'meta-data/iam/security-credentials/xrv9k-ha' },
    problem: /something that is not JSON/,
  },
  nothing: {
    fault: { kind: 'malformed', as: 'empty', action: CREDENTIALS },
    problem: /IMDS does not answer with the name of a role/,
  },
};

describe('credentials', () => {
  test('at the start IMDS gives no role, then wrong ones: each is named, and the right ones are taken', async () => {
    const lab = await openLab();
    const { imds } = lab.routers.rtr2;
    let rule = imds.addFault({ kind: 'error', status: 404, action: CREDENTIALS });
    lab.startDaemon('rtr1');
    const rtr2 = lab.startDaemon('rtr2');
    await record(rtr2, /"event":"credentials-unread".*the instance has no IAM role \(IMDS has none\)/);
    for (const { fault, problem } of Object.values(wrong)) {
      const since = rtr2.mark();
      imds.removeFault(rule);
      rule = imds.addFault(fault);
      const complaint = await record(rtr2, problem, since);
      expect(complaint).toMatchObject({ level: 'warn', event: 'credentials-unread', expiresAt: null });
    }
    expect(rolesSince(rtr2, 0)).toEqual(['UNKNOWN']);
    imds.removeFault(rule);
    await record(rtr2, /"event":"credentials-read"/);
    await watching(rtr2);
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });

  test('expire while IMDS is away and a takeover needs them: it goes on when IMDS gives out new ones', async () => {
    const lab = await openPair({ config: { role_ttl_s: 2.5 } });
    const rtr2 = daemonOf(lab, 'rtr2');
    const { imds } = lab.routers.rtr2;
    const since = rtr2.mark();
    await lab.stopImds('rtr2');
    expire(lab);
    await reason(
      rtr2,
      /EC2 could not be observed \(RequestExpired: EC2 does not accept the credentials/,
      since,
    );
    await record(rtr2, /"level":"warn".*"event":"credentials-unread".*ECONNREFUSED/, since);
    expect(roleOf(rtr2)).toBe('STANDBY');
    await record(rtr2, /"level":"error".*cloud-unobserved/, since);
    await reason(rtr2, /now UNKNOWN \(unobserved\), before STANDBY/, since);
    expect(await shownState(lab, 'rtr2', 'UNKNOWN')).toBe('UNKNOWN');
    await lab.killRouter('rtr1');
    await reason(rtr2, /taking over .*this router was STANDBY when EC2 last answered/);
    await reason(rtr2, /172\.31\.101\.10 not moved: RequestExpired/);

    // It comes back with nonsense first, then with what has expired already.
    const broken = imds.addFault({ kind: 'garbagePage', status: 200, action: CREDENTIALS });
    await lab.startImds('rtr2');
    await record(rtr2, /"event":"credentials-unread".*does not answer with the name of a role/);
    imds.removeFault(broken);
    const old = imds.addFault({ kind: 'expiredCredentials' });
    await record(rtr2, /"event":"credentials-unread".*IMDS gives out credentials that have expired/);
    expect(lab.ownsAll('rtr1')).toBe(true);
    expect(rolesSince(rtr2, 0)).not.toContain('ACTIVE');

    imds.removeFault(old);
    imds.rotateCredentials();
    await hasTakenOver(lab, 'rtr2');
    expect(attemptsBegun(rtr2)).toEqual([1]);
    expect(new Set(writes(lab).map(moveOf)).size).toBe(2);
    expect(await shownState(lab, 'rtr2', 'ACTIVE')).toBe('ACTIVE');
  });
});

/** The life of what rtr2 signs with is over, whatever was promised. */
function expire(lab: Lab): void {
  lab.credentials.expire(lab.routers.rtr2.imds.currentCredentials().accessKeyId);
}

test('DNS does not know the endpoint at the start, and is gone again later: new connections need it only once', async () => {
  const lab = await openLab();
  const endpoint = new EndpointName(lab.directory, []);
  const { port } = new URL(lab.ec2.url);
  lab.writeConfig('rtr2', { ec2_private_endpoint_url: `http://${endpoint.name}:${port}` });
  lab.startDaemon('rtr1');
  const rtr2 = lab.startDaemon('rtr2', { env: endpoint.env });
  await record(rtr2, /"level":"warn".*"event":"endpoint-unresolved".*"code":"ENOTFOUND","known":0/);
  await reason(rtr2, /EC2 could not be observed \(ENOTFOUND: .*ec2\.lab\.internal/);
  expect(rolesSince(rtr2, 0)).toEqual(['UNKNOWN']);
  endpoint.resolvesTo(['127.0.0.1']);
  await record(rtr2, /"event":"endpoint-resolved"/);
  await watching(rtr2);

  const since = rtr2.mark();
  endpoint.resolvesTo([]);
  await record(rtr2, /"level":"warn".*"event":"endpoint-unresolved".*"known":1/, since);
  const accepted = lab.ec2.connectionsAccepted;
  await eventually(() => {
    lab.ec2.closeIdleConnections();
    expect(lab.ec2.connectionsAccepted).toBeGreaterThan(accepted + 3);
  });
  await nothingMoves(lab, 'rtr2');
  expect(rolesSince(rtr2, since)).not.toContain('UNKNOWN');
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  endpoint.resolvesTo(['127.0.0.1']);
  await record(rtr2, /"event":"endpoint-resolved"/, since);
});
