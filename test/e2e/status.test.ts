/** The status endpoint of built daemons: off by default, its probes follow the role, and requests do not touch a takeover. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { statusSchema } from '../../src/status/schema';
import { eventually } from '../support/eventually';
import { ask } from '../support/statusWorld';
import { daemonOf, openPair, show, takesOver, watching } from './support';

/** Sockets on which a process listens for TCP. */
function listeningOf(pid: number): readonly string[] {
  const own = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return [];
    }
  });
  return ['tcp', 'tcp6'].flatMap((family) =>
    readFileSync(`/proc/${pid}/net/${family}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode = '']) => state === '0A' && own.includes(`socket:[${inode}]`))
      .map(([, local = '']) => local),
  );
}

test('nothing listens where the configuration says nothing', async () => {
  const lab = await openPair();
  expect(listeningOf(daemonOf(lab, 'rtr2').pid ?? 0)).toEqual([]);
});

test('the probes follow the roles through a takeover, which is as ever under 50 requests a second', async () => {
  const lab = await openPair();
  const socket = join(lab.routers.rtr2.directory, 'status.sock');
  await daemonOf(lab, 'rtr2').stop('SIGTERM', 5_000);
  const told: { readonly type: string; readonly data: { readonly text: string } }[] = [];
  const ofPeer = { router: 'rtr1', live: true, show: { ha_ready: { value: { lines: [] } } } };
  const noc = createServer((request, response) => {
    if (request.method === 'GET') return void response.end(JSON.stringify(ofPeer));
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      told.push(JSON.parse(body) as (typeof told)[number]);
      // The first one has to be sent again.
      response.writeHead(told.length === 1 ? 500 : 200).end();
    });
  });
  await new Promise<void>((resolve) => noc.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(noc.address() as AddressInfo).port}`;
  const notifications = { webhooks: [{ name: 'noc', url }] };
  lab.writeConfig('rtr2', { status_listen: socket, notifications, peer_status_url: url });
  const again = lab.startDaemon('rtr2');
  await again.waitFor(({ event }) => event === 'status-available');
  const statusOf = async (path: string) => (await ask(socket, path)).status;
  await eventually(async () => expect(await statusOf('/readyz')).toBe(200));
  expect([await statusOf('/active'), await statusOf('/standby')]).toEqual([503, 200]);

  const answers: Promise<number>[] = [];
  const paths = ['/livez', '/readyz', '/active', '/standby', '/status', '/metrics'];
  const asking = setInterval(() => answers.push(statusOf(paths[answers.length % paths.length] ?? '')), 20);
  try {
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  } finally {
    clearInterval(asking);
  }
  const statuses = await Promise.all(answers);
  expect(statuses.length).toBeGreaterThan(0);
  expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
  await eventually(async () => expect(await statusOf('/active')).toBe(200));
  await eventually(async () => {
    const { text } = await ask(socket, '/metrics');
    expect(text).toContain('xr_aws_ha_moves_total{group="default",purpose="takeover",outcome="done"} 1\n');
    expect(text).toContain('xr_aws_ha_takeover_duration_seconds_count{group="default",leg="all_moved"} 1\n');
    expect(text).toMatch(
      /api_call_duration_seconds_count\{action="AssignPrivateIpAddresses",outcome="ok"\} 2\n/,
    );
  });
  // It may be a second old.
  await eventually(async () => {
    const document = statusSchema.parse(JSON.parse((await ask(socket, '/status')).text));
    expect(document).toMatchObject({ ha_state: 'ACTIVE', live: true });
  });

  const { stdout: history } = await show(lab, 'rtr2', 'ha_history');
  expect(history).toMatch(/\n\S+Z +\d+\.\d{3} s +takeover +done +\S+, \S+ -> .*DOWN.* -> took over /);
  // It outlives the start that this test began with.
  expect(history).toMatch(/ start +stopped .*\n(.*\n)*.* start +under way /);
  expect(history).toMatch(/: DOWN \S.*, the last time at \S+; UP again /);

  await eventually(() => {
    const moves = told.filter(({ type }) => type === 'xr-aws-ha.move.ended');
    expect(moves.at(-1)?.data.text).toMatch(/^takeover done after .* s: took over /);
    expect(told[1]).toEqual(told[0]);
  });
  await eventually(async () =>
    expect((await show(lab, 'rtr2', 'ha_peer')).stdout).toMatch(/"router": "rtr1"[^]*"ready": true/),
  );
  noc.closeAllConnections();
  await new Promise((resolve) => noc.close(resolve));

  // The healer's proof by BFD: the peer is not there, and then it is.
  await eventually(async () => expect(await statusOf('/readyz')).toBe(503));
  await lab.bootRouter('rtr1');
  await watching(lab.startDaemon('rtr1'));
  await eventually(async () => expect(await statusOf('/readyz')).toBe(200));
});
