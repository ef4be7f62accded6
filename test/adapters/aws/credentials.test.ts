import fc from '../../support/properties';
import { CredentialRegistry } from '../../../lab/ec2-emulator/credentials';
import type { ImdsEmulator } from '../../../lab/imds-emulator/emulator';
import type { ImdsFaultInput } from '../../../lab/imds-emulator/faults';
import { parseCredentials, startCredentials, type Credentials } from '../../../src/aws/transport/credentials';
import { openImds } from '../../../src/aws/transport/imds';
import { matching, memoryLog, newWorld, openImdsLab, until } from './awsLab';

const SECRETS = 'iam/security-credentials/ha-role';

describe('credentials', () => {
  let emulator: ImdsEmulator;
  let credentials: Credentials | null = null;
  let memory: ReturnType<typeof memoryLog>;
  const start = (wallNow: () => number = Date.now): Credentials => {
    credentials = startCredentials({ imds: openImds(emulator.url), log: memory.log, wallNow });
    return credentials;
  };
  beforeEach(async () => {
    emulator = await openImdsLab(newWorld(), new CredentialRegistry());
    memory = memoryLog();
  });
  afterEach(async () => {
    credentials?.stop();
    await emulator.stop();
  });

  test('are read once and then answered from memory, also when IMDS is gone', async () => {
    const { provider, ready } = start();
    await ready;
    const { accessKeyId, secretAccessKey, sessionToken } = emulator.currentCredentials();
    await emulator.stop();
    expect(await provider()).toEqual({ accessKeyId, secretAccessKey, sessionToken });
    expect(provider.memoized).toBe(true);
    expect(emulator.counters()[`GET /latest/meta-data/${SECRETS}`]).toBe(1);
  });

  test('the provider fails at once while there have never been any, and says why', async () => {
    emulator.addFault({ kind: 'error', status: 404, action: 'meta-data/iam/*' });
    const { provider, ageInfo } = start();
    await expect(provider()).rejects.toThrow('not read yet');
    await until('a problem is known', () => ageInfo().problem !== null);
    await expect(provider()).rejects.toThrow('the instance has no IAM role');
  });

  test.each<[string, ImdsFaultInput]>([
    ['an error', { kind: 'error', status: 500 }],
    ['an HTML page', { kind: 'garbagePage', status: 200 }],
    ['half a document', { kind: 'malformed', as: 'truncated' }],
    ['an empty document', { kind: 'malformed', as: 'empty' }],
    ['a reset', { kind: 'reset' }],
    ['an answer that failed', { kind: 'wrongContent', text: '{"Code":"AssumeRoleUnauthorizedAccess"}' }],
  ])('are read in the end when IMDS first answers with %s', async (_name, fault) => {
    emulator.addFault({ ...fault, action: `meta-data/${SECRETS}`, count: 1 });
    const { ready, ageInfo } = start();
    await ready;
    expect(ageInfo().problem).toBeNull();
    expect(memory.logged().map(({ event }) => event)).toEqual(['credentials-unread', 'credentials-read']);
  });

  test.each<[string, ImdsFaultInput]>([
    ['down', { kind: 'reset' }],
    ['silent', { kind: 'blackHole' }],
    ['serving a page', { kind: 'garbagePage', status: 200 }],
    ['serving expired ones', { kind: 'expiredCredentials' }],
  ])('the old ones are kept while IMDS is %s', async (_name, fault) => {
    const { provider, ready, refreshNow } = start();
    await ready;
    const before = await provider();
    emulator.addFault({ ...fault, count: 1, action: `meta-data/${SECRETS}` });
    await refreshNow();
    expect(await provider()).toEqual(before);
  });

  test('expired ones are used where there are no others', async () => {
    emulator.addFault({ kind: 'expiredCredentials' });
    const { provider, ready, ageInfo } = start();
    await ready;
    expect(await provider()).toMatchObject({ accessKeyId: matching(/^ASIA/) });
    expect(ageInfo().problem).toMatch(/have expired by this router's clock/);
    expect(memory.logged()).toMatchObject([{ event: 'credentials-unread', problem: ageInfo().problem }]);
  });

  test('stay in use past their expiry while IMDS is away', async () => {
    let wall = Date.now();
    const { provider, ready, refreshNow } = start(() => wall);
    await ready;
    const before = await provider();
    await emulator.stop();
    wall += 24 * 3_600_000;
    await refreshNow();
    expect(await provider()).toEqual(before);
  });

  test('are renewed by themselves at half of a short life', async () => {
    const registry = new CredentialRegistry();
    await emulator.stop();
    emulator = await openImdsLab(newWorld(), registry);
    // The wall clock of the daemon is such that the credentials have two seconds left to live.
    const { expiresAt } = emulator.currentCredentials();
    const { provider, ready } = start(() => expiresAt - 2_000);
    await ready;
    const first = await provider();
    const second = emulator.rotateCredentials();
    expect(first.accessKeyId).not.toBe(second.accessKeyId);
    let accessKeyId = '';
    await until('the rotated credentials are in use', () => {
      void provider().then((held) => (accessKeyId = held.accessKeyId));
      return accessKeyId === second.accessKeyId;
    });
  });

  test('a forced refresh brings new ones; more of them ask IMDS once', async () => {
    const { provider, ready, refreshNow } = start();
    await ready;
    const rotated = emulator.rotateCredentials();
    await Promise.all([refreshNow(), refreshNow(), refreshNow()]);
    await refreshNow();
    expect((await provider()).accessKeyId).toBe(rotated.accessKeyId);
    expect(emulator.counters()[`GET /latest/meta-data/${SECRETS}`]).toBe(2);
  });

  test('no secret is ever logged', async () => {
    const { ready, refreshNow } = start();
    await ready;
    emulator.addFault({ kind: 'malformed', as: 'truncated', action: `meta-data/${SECRETS}` });
    await refreshNow();
    const { secretAccessKey, sessionToken } = emulator.currentCredentials();
    expect(memory.text()).toContain('credentials-unread');
    expect(memory.text()).not.toContain(secretAccessKey);
    expect(memory.text()).not.toContain(sessionToken.slice(0, 8));
  });
});

const document = {
  Code: 'Success',
  AccessKeyId: 'ASIAABCDEFGHIJKLMNOP',
  SecretAccessKey: 'secret/secret+secret/secret+secret/secre',
  Token: 'token-token-token==',
  Expiration: '2026-11-21T06:00:00Z',
};

test('a document with one wrong member is a problem that does not quote it', () => {
  expect(parseCredentials(JSON.stringify(document)).ok).toBe(true);
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(document)), fc.jsonValue(), (key, value) => {
      const good = Object.entries(document).some((entry) => entry[0] === key && entry[1] === value);
      const reading = parseCredentials(JSON.stringify({ ...document, [key]: value }));
      if (reading.ok) expect(typeof value === 'string' && (good || key !== 'Code')).toBe(true);
      else expect(reading.problem).not.toContain('secret/');
    }),
  );
});

test('why IMDS has none is told in its own words, without what it may hold of a secret', () => {
  const message = `EC2 cannot assume the role ha-role. ${document.SecretAccessKey} ${'T'.repeat(400)}`;
  const failed = { ...document, Code: 'AssumeRoleUnauthorizedAccess', Message: message };
  expect(parseCredentials(JSON.stringify(failed))).toEqual({
    ok: false,
    problem:
      'the credentials of IMDS lack Code Success: AssumeRoleUnauthorizedAccess: EC2 cannot assume the role ha-role. [withheld] [withheld]',
  });
});

test('text of any kind is read without a throw, and half a document is never taken', () => {
  fc.assert(fc.property(fc.string(), (text) => expect(parseCredentials(text).ok).toBe(false)));
  const whole = JSON.stringify(document);
  fc.assert(
    fc.property(fc.nat({ max: whole.length - 1 }), (length) => {
      const reading = parseCredentials(whole.slice(0, length));
      expect(reading).toMatchObject({ ok: false, problem: matching(/^((?!secret|token-).)*$/) });
    }),
  );
});
