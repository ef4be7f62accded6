/** BFD that is not single-hop over IPv4: the same takeover, and what a router refuses costs that alone. */
import type { Lab, LabOptions } from '../../lab/topology/topology';
import type { RouterName } from '../../lab/topology/plan';
import { eventually } from '../support/eventually';
import {
  daemonOf,
  generations,
  openPair,
  openLab,
  reason,
  record,
  role,
  show,
  startPair,
  takesOver,
  watching,
} from './support';
import { ha } from './rulesSupport';

const works = { multiHop: 'works' } as const;

describe.each(generations)('%s', (generation) => {
  test.each<readonly [string, LabOptions]>([
    ['IPv6', { sessions: ['IPv6', 'IPv6'] }],
    ['multi-hop', { sessions: ['multi-hop', 'multi-hop'], sim: works }],
    ['multi-hop over IPv6', { sessions: ['multi-hop IPv6', 'multi-hop IPv6'], sim: works }],
    ['IPv4 and IPv6 mixed', { sessions: ['IPv4', 'IPv6'] }],
    [
      'every kind at once',
      { interfaces: 5, sessions: ['IPv4', 'IPv6', 'multi-hop', 'multi-hop IPv6', 'GRE'], sim: works },
    ],
  ])('%s: the standby takes over, and the dead router in its turn', async (_what, options) => {
    const lab = await openPair({ generation, ...options });
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
    await lab.bootRouter('rtr1');
    await watching(lab.startDaemon('rtr1'));
    await takesOver(lab, 'rtr1', () => lab.killRouter('rtr2'));
  });

  test('one link of a mixed pair is enough, whichever family runs on it', async () => {
    const lab = await openPair({ generation, sessions: ['IPv4', 'IPv6'] });
    await takesOver(lab, 'rtr2', () => lab.cutLink('TenGigE0/0/0/2'));
  });

  test.each([
    ['SL_ENOTSUP', 'the router does not support this kind of session'],
    ['SL_BFD_BAD_PARAMETER', 'the parameters do not go together'],
    ['SL_BFD_INVALID_SESSION_TYPE', 'the session is neither single-hop nor multi-hop'],
  ] as const)(
    'a router that refuses multi-hop with %s: one error, and all else goes on',
    async (multiHop, meaning) => {
      const lab = await openLab({ generation, sessions: ['IPv4', 'multi-hop'], sim: { multiHop } });
      await startRefusedPair(lab);
      const rtr2 = daemonOf(lab, 'rtr2');
      const { rtr1: peer, rtr2: own } = lab.plan.interfaces[1]!.primaryAddress;
      expect(rtr2.records.filter(({ event }) => event === 'slapi-config-refused')).toMatchObject([
        {
          level: 'error',
          subject: `${peer} from ${own}`,
          errno: multiHop,
          configKey: 'bfd_sessions[].session_type',
          reason:
            `the router refused ${peer} from ${own}: ${meaning} (${multiHop}); see bfd_sessions[].session_type; ` +
            'multi-hop BFD through this interface is unproven on XRv9000 and probably needs `bfd multipath include ' +
            'location 0/RP0/CPU0` on the router; where it stays refused, use a single-hop session over a GRE tunnel',
        },
      ]);
      await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
    },
  );
});

/** A pair in which the one session that the routers run is UP: of those that are not, the sentence names the refused. */
async function startRefusedPair(lab: Lab): Promise<void> {
  const active = lab.startDaemon('rtr1');
  const standby = lab.startDaemon('rtr2');
  const onlyRefused = /takes nothing over: \S+ from \S+ is UNKNOWN, ignored: the router refuses to have it$/;
  await Promise.all([role(active, 'ACTIVE'), reason(standby, onlyRefused)]);
}

test('the stream of one family is taken by another client: not in control of any, and the log names it', async () => {
  const lab = await openPair({ sessions: ['IPv4', 'IPv6'] });
  const rtr2 = daemonOf(lab, 'rtr2');
  const since = rtr2.mark();
  lab.hijackStream('rtr2', 'bfdv6');
  expect(await record(rtr2, /"event":"controlLost"/, since)).toMatchObject({
    reason: expect.stringContaining('SLBfdv6GetNotifStream') as unknown,
  });
});

test('`show` keys IPv6 and multi-hop neighbours by their address, with what the router said of them', async () => {
  const lab = await openPair({ sessions: ['IPv6', 'multi-hop'], sim: works });
  const [v6, v4] = lab.plan.interfaces;
  const neighbors = await eventually(async () => {
    const shown = await shownJson(lab, 'rtr2', 'bfd_neighbors');
    if (Object.keys(shown).length < 2) throw new Error(JSON.stringify(shown));
    return shown;
  });
  const bytes = Buffer.from('20010db8003100010000000000000101', 'hex').toString('base64');
  // Which of the two says UP first, an event (without the VRF on gen1) or the read-back (with it), is a race of XR.
  const key = (fields: object): unknown => expect.objectContaining(fields);
  expect(neighbors).toEqual({
    [v6!.ipv6Address.rtr1]: {
      EventType: 'SL_BFD_EVENT_TYPE_SESSION_STATE',
      Session: {
        Key: key({ Type: 'SL_BFD_SINGLE_HOP', NbrAddr: bytes, Interface: { Name: 'TenGigE0/0/0/1' } }),
        State: { SeqNum: expect.stringMatching(/^\d+$/) as unknown, Status: 'SL_BFD_SESSION_UP' },
      },
    },
    [v4!.primaryAddress.rtr1]: {
      EventType: 'SL_BFD_EVENT_TYPE_SESSION_STATE',
      Session: {
        // 172.31.105.101 and 172.31.105.241
        Key: key({ Type: 'SL_BFD_MULTI_HOP', NbrAddr: 2887739749, SourceAddr: 2887739889 }),
        State: { SeqNum: expect.stringMatching(/^\d+$/) as unknown, Status: 'SL_BFD_SESSION_UP' },
      },
    },
  });
  lab.cutLink('TenGigE0/0/0/1');
  await eventually(async () => {
    const { Session } = (await shownJson(lab, 'rtr2', 'last_bfd_down_event')) as {
      Session?: { Key?: object };
    };
    expect(Session?.Key).toMatchObject({ NbrAddr: bytes });
  });
});

describe('a neighbour that EC2 does not know, at the end of a tunnel', () => {
  test('is warned about once, and its peer cannot be given anything', async () => {
    const lab = await openPair({ sessions: ['GRE'] });
    const rtr1 = daemonOf(lab, 'rtr1');
    await record(
      rtr1,
      /EC2 shows no interface of another instance with 10\.255\.1\.2.*list addresses of those in peer_private_ips/,
    );
    expect(rtr1.records.filter(({ event }) => event === 'peer-not-in-ec2')).toHaveLength(1);
    expect(await ha(lab, 'rtr1', 'switchover')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/EC2 shows no interface of the peer on the subnet of/) as unknown,
    });
  });

  test('is recognised by the addresses that are listed for it: the peer is given the targets', async () => {
    const lab = await openLab({ sessions: ['GRE'] });
    const { interfaces } = lab.plan;
    for (const [name, peer] of [
      ['rtr1', 'rtr2'],
      ['rtr2', 'rtr1'],
    ] as const)
      lab.writeConfig(name, {
        peer_private_ips: interfaces.map(({ primaryAddress }) => primaryAddress[peer]),
      });
    await startPair(lab);
    expect(await ha(lab, 'rtr1', 'switchover')).toMatchObject({ code: 0 });
    await role(daemonOf(lab, 'rtr2'), 'ACTIVE');
    expect(lab.ownsAll('rtr2')).toBe(true);
    expect(daemonOf(lab, 'rtr1').records.filter(({ event }) => event === 'peer-not-in-ec2')).toEqual([]);
  });
});

test('IPv6 neighbours are recognised by what EC2 has assigned to the interfaces', async () => {
  const lab = await openPair({ sessions: ['IPv6', 'IPv6'] });
  expect(await ha(lab, 'rtr1', 'switchover')).toMatchObject({ code: 0 });
  await role(daemonOf(lab, 'rtr2'), 'ACTIVE');
  expect(lab.ownsAll('rtr2')).toBe(true);
});

async function shownJson(lab: Lab, name: RouterName, key: string): Promise<object> {
  const { stdout } = await show(lab, name, key);
  return JSON.parse(stdout.replace(/^\s*Last Created:.*$/m, '')) as object;
}
