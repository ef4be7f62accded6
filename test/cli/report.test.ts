import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { report, type ReportArguments } from '../../src/cli/report';
import { journalOfRouter, rtr1Dies, rtr2TakesOver } from '../report/pairJournals';

const texts = { rtr1: journalOfRouter('rtr1', rtr1Dies), rtr2: journalOfRouter('rtr2', rtr2TakesOver) };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'report-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(path: string, text: string): string {
  const full = join(folder, path);
  mkdirSync(join(full, '..'), { recursive: true });
  writeFileSync(full, text);
  return full;
}

function told(paths: readonly string[], options: Partial<ReportArguments> = {}) {
  const said = { out: '', err: '' };
  const code = report(
    { paths, since: undefined, until: undefined, html: undefined, ...options },
    { out: { write: (text) => (said.out += text) }, err: { write: (text) => (said.err += text) } },
  );
  return { code, ...said };
}

test('two files: text for a terminal, and a page that only its owner may read', () => {
  const html = join(folder, 'report.html');
  const { code, out, err } = told([put('rtr1.jsonl', texts.rtr1), put('rtr2.jsonl', texts.rtr2)], { html });
  expect({ code, err }).toEqual({ code: 0, err: `report: ${html} is written\n` });
  expect(out).toMatch(/^xr-aws-ha [\d.]+ report: what rtr1 and rtr2 tell\n/);
  expect(out).toMatch(/time without a holder: 0\.160 s in all; add up to 150 ms each time/);
  expect(out).toMatch(
    /172\.31\.101\.10\n +rtr1 until 08:16:40\.\d{3}, then rtr2; without a holder: 0\.150 s\n/,
  );
  expect(readFileSync(html, 'utf8')).toMatch(/^<!DOCTYPE html>/);
  expect(statSync(html).mode & 0o777).toBe(0o600);
});

test('folders as they are copied from the routers: named by them, with both generations', () => {
  const [header = '', ...lines] = texts.rtr2.trimEnd().split('\n');
  put('rtr1/journal.jsonl', texts.rtr1);
  put('rtr1/memory.json', '{}');
  put('rtr2/state/journal.jsonl.1', `${[header, ...lines].join('\n')}\n`);
  put('rtr2/state/journal.jsonl', journalOfRouter('rtr2', [[1_100_000, 'decide']], { monotonicMs: 5_000 }));
  const { code, out, err } = told([join(folder, 'rtr1'), join(folder, 'rtr2', 'state')]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toContain('what rtr1 and rtr2 tell');
  expect(out).toMatch(/took over 172\.31\.101\.10/);
  const files = told([join(folder, 'rtr1/journal.jsonl'), join(folder, 'rtr2/state/journal.jsonl')]);
  expect(files).toEqual({ code, out, err });
});

test.each([
  ['30s', 'the session a went from UP to DOWN', 'starting without'],
  ['08:16:00', 'the session a went from UP to DOWN', 'starting without'],
  ['2027-01-15T08:16', 'the session a went from UP to DOWN', 'starting without'],
])('--since %s', (since, has, hasNot) => {
  const { out } = told([put('rtr1.jsonl', texts.rtr1), put('rtr2.jsonl', texts.rtr2)], { since });
  const words = out.replace(/\s+/g, ' ');
  expect(words).toContain(has);
  expect(words).not.toContain(hasNot);
});

test('all mistakes at once, with what to do', () => {
  const { code, out, err } = told([join(folder, 'none.jsonl'), folder], {
    since: 'yesterday',
    until: '25:00',
  });
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err.split('\n')).toEqual([
    `report: --since is a time in UTC (2026-11-30T03:10, 03:10) or how long before the end (30m, 2h), not 'yesterday'`,
    `report: --until is a time in UTC (2026-11-30T03:10, 03:10) or how long before the end (30m, 2h), not '25:00'`,
    `report: ${join(folder, 'none.jsonl')}: there is no such file`,
    `report: ${folder}: there is no journal in this folder`,
    'Give it the journals of both routers: a file or a folder for each, with journal.jsonl and journal.jsonl.1 as they lie in state_dir.',
    '',
  ]);
});

test('a time in which there is nothing', () => {
  const paths = [put('rtr1.jsonl', texts.rtr1), put('rtr2.jsonl', texts.rtr2)];
  const { code, err } = told(paths, { since: '2030-01-01' });
  expect(code).toBe(2);
  expect(err).toMatch(
    /^report: there is nothing between --since and --until: the journals are of 2027-01-15 08:00:00\.\d+ to 08:16:40\.\d+ UTC/,
  );
});

test('a page that cannot be written: the story is told all the same', () => {
  const { code, out, err } = told([put('rtr2.jsonl', texts.rtr2)], {
    html: join(folder, 'no', 'report.html'),
  });
  expect(code).toBe(1);
  expect(out).toContain('what rtr2 tells');
  expect(err).toMatch(/report\.html cannot be written: ENOENT/);
});
