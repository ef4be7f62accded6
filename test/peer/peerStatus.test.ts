/** What the peer's daemon says of itself, and what comes of it here; nothing is decided by it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '../../src/core/state/json';
import { askStatus, type StatusAnswer } from '../../src/peer/askStatus';
import { PeerStatus } from '../../src/peer/peerStatus';
import { readinessOf } from '../../src/runtime/readiness';
import { recordingLogger } from '../support/logRecords';
import { AROUND, groupWith, NOW } from '../support/readyWorld';

type Line = { readonly condition: string; readonly state: string; readonly text: string };

function statusOf({ live = true, haState = 'STANDBY', lines = [] as readonly Line[] } = {}): StatusAnswer {
  return {
    ok: true,
    document: {
      router: 'rtr1',
      version: '1.2.3',
      ha_state: haState,
      reason: 'watches',
      live,
      show: { ha_ready: { last_created: '', value: { ready: lines.length === 0, lines } } },
    },
  };
}
const silent: StatusAnswer = { ok: false, cause: 'connect ECONNREFUSED' };
const line = (condition: string, text: string): Line => ({ condition, state: 'failing', text });

function world() {
  const { log, records } = recordingLogger();
  const shown: JsonObject[] = [];
  const state = { answer: statusOf(), now: 0, isAtRest: true, asked: 0 };
  let tick: () => void = () => {};
  const peer = new PeerStatus({
    settings: { url: 'http://rtr1:9469', tokenFile: null, caFile: null },
    keepaliveMs: 10_000,
    log,
    put: (value) => shown.push(value),
    now: () => state.now,
    wallNow: () => 0,
    isAtRest: () => state.isAtRest,
    ask: () => {
      state.asked += 1;
      return Promise.resolve(state.answer);
    },
    every: (_ms, call) => {
      tick = call;
      return () => {};
    },
  });
  const ask = async (answer: StatusAnswer) => {
    state.answer = answer;
    state.now += 10_000;
    tick();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { peer, ask, state, shown, events: () => records.map(({ event }) => event), records };
}

test('before the first answer nobody knows; then it is what the peer says', async () => {
  const { peer, ask, shown } = world();
  expect(peer.condition()).toMatchObject({ state: 'unknown', ageMs: null });
  await ask(statusOf());
  expect(peer.condition()).toMatchObject({ state: 'ok', ageMs: 0, text: 'rtr1 is STANDBY and ready' });
  expect(shown.at(-1)).toMatchObject({
    router: 'rtr1',
    ha_state: 'STANDBY',
    ready: true,
    live: true,
    answers: true,
  });
  await ask(statusOf({ lines: [line('clock', 'the clock is off')] }));
  expect(peer.condition()).toMatchObject({
    state: 'failing',
    text: 'rtr1 is STANDBY and not ready: the clock is off',
  });
  await ask(statusOf({ live: false }));
  expect(peer.condition().text).toBe('the daemon of rtr1 answers and does not decide');
});

test('what the peer says of this router counts for nothing: each would wait for the other', async () => {
  const { peer, ask, shown } = world();
  await ask(statusOf({ lines: [line('peer', 'rtr2 is not ready')] }));
  expect(peer.condition().state).toBe('ok');
  expect(shown.at(-1)).toMatchObject({ ready: true, failing: [] });
});

test('one answer that is missing says nothing yet; three in a row are an alarm until the next good one', async () => {
  const { peer, ask, events, shown } = world();
  await ask(statusOf());
  await ask(silent);
  await ask(silent);
  expect(peer.condition()).toMatchObject({ state: 'ok', ageMs: 20_000 });
  expect(shown.at(-1)).toMatchObject({ answers: false, cause: 'connect ECONNREFUSED' });
  expect(events()).toEqual([]);
  await ask(silent);
  expect(peer.condition()).toMatchObject({
    state: 'failing',
    text: "the peer's status endpoint does not answer: connect ECONNREFUSED",
  });
  await ask(silent);
  expect(events()).toEqual(['peer-unwell']);
  await ask(statusOf());
  await ask(statusOf());
  expect(events()).toEqual(['peer-unwell', 'peer-well']);
  await ask(silent);
  await ask(statusOf());
  expect(events()).toEqual(['peer-unwell', 'peer-well']);
});

test('while something moves it is not asked', async () => {
  const { ask, state } = world();
  state.isAtRest = false;
  await ask(statusOf());
  expect(state.asked).toBe(0);
});

test.each([
  ['mine', 'failing'],
  ['peer', 'unknown'],
] as const)('where the targets are %s a peer that is not well is %s', (owner, state) => {
  const peer = { condition: 'peer', state: 'failing', text: 'x', ageMs: 0, whatToDo: 'y' } as const;
  const lines = readinessOf(new Map([['default', groupWith(owner)]]), { ...AROUND, peer }, NOW);
  expect(lines.find(({ condition }) => condition === 'peer')).toMatchObject({ state });
  const without = readinessOf(new Map([['default', groupWith(owner)]]), { ...AROUND, peer: null }, NOW);
  expect(without.find(({ condition }) => condition === 'peer')).toBeUndefined();
});

describe('the question', () => {
  let folder: string;
  const atEnd: (() => Promise<unknown>)[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'peer-'));
  });
  afterEach(async () => {
    for (const end of atEnd.splice(0)) await end();
    rmSync(folder, { recursive: true });
  });

  async function served(answer: RequestListener): Promise<string> {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    atEnd.push(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const asked = (url: string, tokenFile: string | null = null) => askStatus({ url, tokenFile, caFile: null });

  test('is GET /status, with the token where there is one', async () => {
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, 'a-token\n');
    const url = await served(({ url: path, headers: { authorization = null } }, response) =>
      response.end(JSON.stringify({ path, authorization })),
    );
    expect(await asked(url)).toEqual({ ok: true, document: { path: '/status', authorization: null } });
    expect(await asked(url, tokenFile)).toEqual({
      ok: true,
      document: { path: '/status', authorization: 'Bearer a-token' },
    });
    expect(await asked(url, join(folder, 'none'))).toMatchObject({ ok: false });
  });

  test.each<readonly [string, RequestListener, string]>([
    ['401', (_, response) => response.writeHead(401).end(), 'it answers 401'],
    ['no JSON', (_, response) => response.end('<html>'), 'what it answers is no JSON'],
    [
      'without end',
      (_, response) => response.write(Buffer.alloc(5 * 1024 * 1024)),
      'its answer has more than',
    ],
    ['nothing', () => {}, 'not within 2 s'],
  ])('an answer that is %s is none', async (_what, answer, cause) => {
    expect(await asked(await served(answer))).toEqual({
      ok: false,
      cause: expect.stringContaining(cause) as string,
    });
  });
});
