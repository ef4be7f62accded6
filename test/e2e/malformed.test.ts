/**
 * Nonsense from outside is survived, logged with what was wrong, and never read as "the peer is gone" or
 * "the targets are mine"; and a real failure afterwards is still seen.
 */
import type { Ec2FaultInput } from '../../lab/ec2-emulator/faults';
import type { ImdsFaultInput } from '../../lab/imds-emulator/faults';
import type { StreamName } from '../../lab/slapi-sim/faults';
import { toNumber } from '../../lab/slapi-sim/address';
import type { SimRouter } from '../../lab/slapi-sim/router';
import { eventually } from '../support/eventually';
import {
  daemonOf,
  generations,
  hasTakenOver,
  moreObservations,
  nothingMoves,
  openLab,
  openPair,
  record,
  requestMark,
  role,
  roleOf,
  rolesSince,
  takesOver,
  watching,
  writes,
} from './support';

/** What XR writes about a session, with other values in its state. */
function sessionEvent(sim: SimRouter, state: Readonly<Record<string, unknown>>): object {
  const [session] = sim.sessions();
  if (session === undefined) throw new Error('the router has no session');
  const { neighbor, interface: Name } = session.key;
  return {
    EventType: 'SL_BFD_EVENT_TYPE_SESSION_STATE',
    Session: {
      Key: { Type: 'SL_BFD_SINGLE_HOP', NbrAddr: toNumber(neighbor), Interface: { Name } },
      State: { SeqNum: session.seqNum, ...state },
    },
  };
}

type Nonsense = {
  readonly stream: StreamName;
  /** A message, or bytes in hex. */
  readonly content: (sim: SimRouter) => object | string;
  readonly logged: RegExp;
};

const nonsense: Readonly<Record<string, Nonsense>> = {
  'a BFD session in a state that has no name': {
    stream: 'bfd',
    content: (sim) => sessionEvent(sim, { Status: 99 }),
    logged: /a BFD session in an unknown state, read as UNKNOWN.*99/,
  },
  'a BFD session in a nameless state, with a number from the far future': {
    stream: 'bfd',
    content: (sim) => sessionEvent(sim, { Status: 99, SeqNum: 1_000_000 }),
    logged: /a BFD session in an unknown state, read as UNKNOWN.*1000000/,
  },
  'a BFD notification without a session': {
    stream: 'bfd',
    content: () => ({ EventType: 'SL_BFD_EVENT_TYPE_SESSION_STATE' }),
    logged: /a BFD notification without a session/,
  },
  'a BFD notification of an unknown type': {
    stream: 'bfd',
    content: (sim) => ({ ...sessionEvent(sim, { Status: 'SL_BFD_SESSION_DOWN' }), EventType: 77 }),
    logged: /a BFD notification of an unknown type.*77/,
  },
  'a BFD notification that ends half-way': {
    stream: 'bfd',
    content: () => '080212401a',
    logged: /that does not decode.*080212401a/,
  },
  'an interface in a state that has no name': {
    stream: 'interface',
    // The new generation has no event types and leaves this one out.
    content: () => ({
      EventType: 'SL_INTERFACE_EVENT_TYPE_INTERFACE_INFO',
      Info: { SLIfInfo: { Name: 'TenGigE0/0/0/1' }, IfState: 99 },
    }),
    logged: /an interface in an unknown state, read as UNKNOWN.*99/,
  },
  'an interface notification that ends half-way': {
    stream: 'interface',
    content: () => '080212401a',
    logged: /that does not decode.*080212401a/,
  },
};

describe.each(generations)('the router, %s, sends', (generation) => {
  // BFD is the same service in both generations, interfaces are not.
  const kinds = Object.entries(nonsense).filter(
    ([, { stream }]) => generation === 'gen1' || stream === 'interface',
  );

  test.each(kinds)('%s', async (_, { stream, content, logged }) => {
    const lab = await openPair({ generation });
    const daemons = [daemonOf(lab, 'rtr1'), daemonOf(lab, 'rtr2')];
    for (const { sim } of Object.values(lab.routers)) {
      const what = content(sim);
      if (typeof what === 'string') sim.injectBytes(stream, what);
      else sim.inject(stream, what);
    }
    for (const daemon of daemons) expect((await record(daemon, logged)).level).toBe('warn');
    await nothingMoves(lab, 'rtr2');
    expect(daemons.map(roleOf)).toEqual(['ACTIVE', 'STANDBY']);
    expect(daemons.map(({ exit }) => exit)).toEqual([null, null]);
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });

  test.each(['init', 'bfd', 'interface'] as const)(
    'half a stream: its %s stream breaks off',
    async (stream) => {
      const lab = await openPair({ generation });
      const rtr2 = daemonOf(lab, 'rtr2');
      for (const how of ['error', 'end'] as const) {
        const since = rtr2.mark();
        lab.cutStream('rtr2', stream, how);
        await record(rtr2, /"event":"streamsLost"/, since);
        await watching(rtr2, since);
      }
      expect(writes(lab)).toEqual([]);
      await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
    },
  );
});

describe('EC2 answers an observation with', () => {
  const answers: Readonly<Record<string, Ec2FaultInput>> = {
    'no list of interfaces': without('networkInterfaceSet'),
    'interfaces without ids': without('networkInterfaceId'),
    'interfaces without attachments': without('attachment'),
    'interfaces without addresses': without('privateIpAddressesSet'),
    'half a document': { kind: 'malformed', how: { as: 'truncated' } },
    'nothing at all': { kind: 'malformed', how: { as: 'empty' } },
    'an HTML page and 200': { kind: 'garbagePage', status: 200 },
    'an HTML error page': { kind: 'garbagePage', status: 502 },
  };

  function without(element: string): Ec2FaultInput {
    return { kind: 'malformed', how: { as: 'withoutElements', elements: [element] } };
  }

  test.each(Object.entries(answers))('%s', async (_, fault) => {
    const lab = await openPair();
    const [rtr1, rtr2] = [daemonOf(lab, 'rtr1'), daemonOf(lab, 'rtr2')];
    const since = { rtr1: rtr1.mark(), rtr2: rtr2.mark() };
    const rule = lab.ec2.addFault({ ...fault, action: 'Describe*' });
    await record(rtr1, /EC2 could not be observed \(\w/, since.rtr1);
    await record(rtr2, /EC2 could not be observed \(\w/, since.rtr2);
    await nothingMoves(lab, 'rtr2');
    expect(rolesSince(rtr1, since.rtr1)).toEqual(['ACTIVE']);
    expect(rolesSince(rtr2, since.rtr2)).toEqual(['STANDBY']);

    // The peer dies while EC2 still talks nonsense: the write needs no read.
    await lab.killRouter('rtr1');
    await role(rtr2, 'ACTIVE');
    expect(lab.ownsAll('rtr2')).toBe(true);
    lab.ec2.removeFault(rule);
    await hasTakenOver(lab, 'rtr2');
    expect(writes(lab)).toHaveLength(2);
  });

  test('nonsense from the start on: the role stays UNKNOWN until it makes sense', async () => {
    const lab = await openLab();
    const rule = lab.ec2.addFault({ ...without('networkInterfaceSet'), action: 'Describe*' });
    const rtr1 = lab.startDaemon('rtr1');
    const rtr2 = lab.startDaemon('rtr2');
    await Promise.all([moreObservations(lab, 'rtr1', 2), moreObservations(lab, 'rtr2', 2)]);
    expect([rolesSince(rtr1, 0), rolesSince(rtr2, 0)]).toEqual([['UNKNOWN'], ['UNKNOWN']]);
    lab.ec2.removeFault(rule);
    await Promise.all([role(rtr1, 'ACTIVE'), watching(rtr2)]);
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });
});

describe('EC2 answers a takeover with', () => {
  test.each([200, 502])('an HTML page and %i: nobody believes that anything has moved', async (status) => {
    const lab = await openPair();
    const rtr2 = daemonOf(lab, 'rtr2');
    const rule = lab.ec2.addFault({ kind: 'garbagePage', status, action: 'AssignPrivateIpAddresses' });
    await lab.killRouter('rtr1');
    await eventually(() => expect(writes(lab).length).toBeGreaterThanOrEqual(6));
    expect(rolesSince(rtr2, 0)).not.toContain('ACTIVE');
    expect(lab.ownsAll('rtr1')).toBe(true);
    await record(rtr2, /172\.31\.101\.10 not moved: .*the outcome is not known/);
    lab.ec2.removeFault(rule);
    await hasTakenOver(lab, 'rtr2');
  });

  const answers: Readonly<Record<string, Extract<Ec2FaultInput, { kind: 'malformed' }>['how']>> = {
    'half a document': { as: 'truncated' },
    'nothing at all': { as: 'empty' },
    'no word about which interface': { as: 'withoutElements', elements: ['networkInterfaceId'] },
  };

  test.each(Object.entries(answers))(
    '%s: what that has moved is not known, so it is done again',
    async (_, how) => {
      const lab = await openPair();
      const rtr2 = daemonOf(lab, 'rtr2');
      lab.ec2.addFault({ kind: 'malformed', how, action: 'AssignPrivateIpAddresses', count: 2 });
      // The first calls did move the addresses: a reading that shows it would end the takeover.
      const blind = lab.ec2.addFault({ kind: 'garbagePage', status: 502, action: 'Describe*' });
      await lab.killRouter('rtr1');
      await eventually(() => expect(writes(lab)).toHaveLength(4));
      lab.ec2.removeFault(blind);
      await hasTakenOver(lab, 'rtr2');
      await record(rtr2, /172\.31\.101\.10 not moved: .*the outcome is not known/);
      expect(writes(lab).map(({ faults }) => faults.length)).toEqual([1, 1, 0, 0]);
    },
  );
});

describe('IMDS answers with', () => {
  const pages: Readonly<Record<string, ImdsFaultInput>> = {
    'an error page': { kind: 'error', status: 500 },
    'an HTML page and 200': { kind: 'garbagePage', status: 200 },
    'half of everything': { kind: 'malformed', as: 'truncated' },
    'a text that means nothing': { kind: 'wrongContent', text: 'maintenance' },
  };

  test.each(Object.entries(pages))('%s: it is asked again until it makes sense', async (_, fault) => {
    const lab = await openLab();
    const { imds } = lab.routers.rtr2;
    const rule = imds.addFault(fault);
    lab.startDaemon('rtr1');
    const rtr2 = lab.startDaemon('rtr2');
    const complaint = await record(rtr2, /"event":"identity-unread"/);
    expect(complaint).toMatchObject({ level: 'warn', problem: expect.stringMatching(/IMDS/) as unknown });
    await record(rtr2, /is DOWN \(programmed anew\)|is UP/);
    expect(rolesSince(rtr2, 0)).toEqual(['UNKNOWN']);
    imds.removeFault(rule);
    await watching(rtr2);
    expect(requestMark(lab)).toBeGreaterThan(0);
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });
});
