/** Redis and what `show` prints from it; Redis may go and come, and no takeover waits for it. */
import { Redis } from 'ioredis';
import { readFileSync } from 'node:fs';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';
import type { Lab } from '../../lab/topology/topology';
import { toNumber } from '../../lab/slapi-sim/address';
import { eventually } from '../support/eventually';
import {
  daemonOf,
  openLab,
  openPair,
  reason,
  record,
  role,
  show,
  shownState,
  takesOver,
  watching,
} from './support';

let redis: { readonly rtr1: RedisServer; readonly rtr2: RedisServer };

beforeEach(async () => {
  redis = { rtr1: await startRedis(), rtr2: await startRedis() };
});

afterEach(async () => {
  await Promise.all([redis.rtr1.stop(), redis.rtr2.stop()]);
});

describe('Redis of the standby', () => {
  test('is stopped when the active router dies: the takeover is as ever, and when it is back it gets the latest values', async () => {
    const lab = await openPair({ store: { redis } });
    const rtr2 = daemonOf(lab, 'rtr2');
    await shownState(lab, 'rtr2', 'STANDBY');
    await redis.rtr2.kill();
    await record(rtr2, /"event":"store-away"/);
    const away = await show(lab, 'rtr2', 'ha_state');
    expect(away).toMatchObject({ code: 4, stdout: '' });
    expect(away.stderr).toMatch(/Redis at 127\.0\.0\.1:\d+ does not answer: /);

    await lab.killRouter('rtr1');
    await reason(rtr2, /EC2 confirms attempt 1/);
    expect(lab.ownsAll('rtr2')).toBe(true);

    await redis.rtr2.restart();
    expect(await shownState(lab, 'rtr2', 'ACTIVE')).toBe('ACTIVE');
    const { stdout } = await show(lab, 'rtr2', 'last_bfd_down_event');
    expect(stdout).toMatch(/"Status": "SL_BFD_SESSION_DOWN"/);
    await record(rtr2, /"event":"store-back"/);
  });

  test('hangs when the active router dies: the takeover does not wait for it', async () => {
    const lab = await openPair({ store: { redis } });
    await shownState(lab, 'rtr2', 'STANDBY');
    redis.rtr2.pause();
    await lab.killRouter('rtr1');
    await reason(daemonOf(lab, 'rtr2'), /EC2 confirms attempt 1/);
    expect(lab.ownsAll('rtr2')).toBe(true);
    redis.rtr2.resume();
    expect(await shownState(lab, 'rtr2', 'ACTIVE')).toBe('ACTIVE');
  });

  test('is away from the start on: the router works, and everything is shown once it is there', async () => {
    await redis.rtr2.kill();
    const lab = await openPair({ store: { redis } });
    await record(daemonOf(lab, 'rtr2'), /"event":"store-away"/);
    await redis.rtr2.restart();
    expect(await shownState(lab, 'rtr2', 'STANDBY')).toBe('STANDBY');
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });
});

test('`show` prints from Redis what the predecessor printed, to the byte', async () => {
  // rtr2 comes first, so that it hears its sessions come UP as events.
  const lab = await openLab({ store: { redis }, config: { keepalive_s: 10 } });
  const rtr2 = lab.startDaemon('rtr2');
  await reason(rtr2, /programmed anew/);
  const rtr1 = lab.startDaemon('rtr1');
  await Promise.all([role(rtr1, 'ACTIVE'), watching(rtr2)]);
  const up = neighborsNow(lab);
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  const down = Object.values(neighborsNow(lab)).at(-1);
  const since = rtr2.mark();
  lab.interfaceDown('rtr2', 'TenGigE0/0/0/2');
  await reason(rtr2, /TenGigE0\/0\/0\/2 went from UP to DOWN/, since);

  const pretty = (value: unknown) => JSON.stringify(value, null, 2);
  await eventually(async () => expect((await stored('last_intf_event')).value).not.toBeNull());
  expect((await show(lab, 'rtr2', 'redundancy')).stdout).toBe(
    `${pretty(['last_bfd_down_event', 'config', 'last_intf_event', 'ha_state', 'bfd_neighbors', 'ha_interfaces'])}\n`,
  );
  const expected = {
    ha_state: 'ACTIVE',
    config: pretty(JSON.parse(readFileSync(lab.routers.rtr2.configPath, 'utf8'))),
    bfd_neighbors: pretty(up),
    last_bfd_down_event: pretty(down),
    last_intf_event: pretty({
      EventType: 'SL_INTERFACE_EVENT_TYPE_INTERFACE_INFO',
      Info: { SLIfInfo: { Name: 'TenGigE0/0/0/2' }, IfState: 'SL_IF_STATE_DOWN', SeqNum: '1' },
    }),
    ha_interfaces: pretty(interfacesNow(lab)),
  };
  for (const [key, value] of Object.entries(expected)) {
    // A keepalive may fall between the two readings: then both are made again.
    const { shown, timestamp } = await eventually(async () => {
      const before = await stored(key);
      const { code, stdout, stderr } = await show(lab, 'rtr2', key);
      expect((await stored(key)).timestamp).toBe(before.timestamp);
      return { shown: { code, stdout, stderr }, timestamp: before.timestamp };
    });
    expect(timestamp).toMatch(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\.\d{6}$/);
    expect(shown).toEqual({ code: 0, stdout: `\nLast Created: ${timestamp}\n\n${value}\n`, stderr: '' });
  }
});

test('`show` says with words and exit code what is the matter', async () => {
  const lab = await openLab({ store: { redis } });
  const nothing = await show(lab, 'rtr1', 'ha_state');
  expect(nothing).toMatchObject({ code: 3, stdout: '' });
  expect(nothing.stderr).toMatch(/nothing has been written to ha_state yet/);
  expect(await show(lab, 'rtr1', 'redundancy')).toMatchObject({ code: 3, stdout: '' });

  const unknown = await show(lab, 'rtr1', 'ha_stat');
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(unknown.stderr).toMatch(/Did you mean ha_state\?/);

  lab.writeConfig('rtr1', { redis_port: await freePort() });
  for (const key of ['ha_state', 'redundancy']) {
    const away = await show(lab, 'rtr1', key);
    expect(away).toMatchObject({ code: 4, stdout: '' });
    expect(away.stderr).toMatch(/does not answer: .*ECONNREFUSED/);
  }
});

async function stored(key: string): Promise<{ value: string | null; timestamp: string | null }> {
  const { host, port } = redis.rtr2;
  const client = new Redis({ host, port, lazyConnect: true });
  try {
    await client.connect();
    const [value = null, timestamp = null] = await client.hmget(key, 'value', 'timestamp');
    return { value, timestamp };
  } finally {
    client.disconnect();
  }
}

/** The sessions of rtr2 as XRv9000 7.3.x writes them, by the peer's address. */
function neighborsNow(lab: Lab): Readonly<Record<string, object>> {
  return Object.fromEntries(
    lab.routers.rtr2.sim.sessions().map(({ key, seqNum, status }) => [
      key.neighbor,
      {
        EventType: 'SL_BFD_EVENT_TYPE_SESSION_STATE',
        Session: {
          Key: {
            Type: 'SL_BFD_SINGLE_HOP',
            NbrAddr: toNumber(key.neighbor),
            Interface: { Name: key.interface },
          },
          State: { SeqNum: String(seqNum), Status: `SL_BFD_SESSION_${status}` },
        },
      },
    ]),
  );
}

function interfacesNow(lab: Lab): object {
  return Object.fromEntries(
    lab.plan.interfaces.map(({ networkInterfaceId, deviceIndex, primaryAddress, floatingAddress }) => [
      networkInterfaceId.rtr2,
      {
        interface_num: deviceIndex,
        private_ip_addresses: [ec2Address(primaryAddress.rtr2, true), ec2Address(floatingAddress, false)],
      },
    ]),
  );
}

/** An address as DescribeNetworkInterfaces gives it, in a VPC with DNS names. */
function ec2Address(address: string, Primary: boolean): object {
  const PrivateDnsName = `ip-${address.replaceAll('.', '-')}.us-west-2.compute.internal`;
  return { Primary, PrivateDnsName, PrivateIpAddress: address };
}
