import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkConfig } from '../../src/cli/checkConfig';
import { configWith, textOf } from './documents';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'xr-aws-ha-check-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function check(config: unknown) {
  const path = join(directory, 'config.json');
  writeFileSync(path, textOf(config));
  const written = { out: '', err: '' };
  const code = checkConfig(
    path,
    { write: (text) => (written.out += text) },
    { write: (text) => (written.err += text) },
  );
  return { code, path, ...written };
}

test('prints what is in effect, then the warnings, then OK', () => {
  const { code, out, err } = check(configWith({ grpc_port: '57400', settle_ms: 500, _note: 'mine' }));
  expect(code).toBe(0);
  expect(err).toBe('');
  const [json = '', ...lines] = out.split(/\n(?=warning: |OK\n)/);
  expect(lines).toEqual([
    'warning: config.settle_ms: 500 ms is more than the sensible 100 ms: every takeover waits that long',
    'OK\n',
  ]);
  const { config } = JSON.parse(json) as { config: { [key: string]: unknown } };
  expect(config).toMatchObject({ grpc_port: 57_400, settle_ms: 500, redis_port: 6379, role_ttl_s: 30 });
  expect(config).not.toHaveProperty('_note');
});

test('what it prints is a configuration with the same effect', () => {
  const first = check(configWith({ keepalive_s: '5' }));
  const { config } = JSON.parse(first.out.replace(/OK\n$/, '')) as { config: { [key: string]: unknown } };
  // The port of no syslog server is printed as well, and would be warned about.
  const again = check({ ...config, syslog_port: undefined });
  expect(again.out).toBe(first.out);
});

test('mistakes are on the error output alone, exit code 2', () => {
  const { code, out, err, path } = check(configWith({ grpc_port: 0 }));
  expect(code).toBe(2);
  expect(out).toBe('');
  expect(err).toBe(
    `${path} has 1 mistake:\n  config.grpc_port: 0 is out of range; write a whole number from 1 to 65535\n`,
  );
});
