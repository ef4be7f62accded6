/**
 * Journals that anything has happened to: bytes changed, lines lost, repeated or out of order, values of other
 * kinds. `replay` always ends with one of its three exit codes, and says one thing where it is not 0.
 */
import fc from '../support/properties';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replay } from '../../src/cli/replay';
import { initialState } from '../../src/core/state/state';
import { step } from '../../src/core/step';
import { story } from '../core/stories';
import { allowTime, ensure, runs } from '../support/fuzz';
import { byteChanges, changeBytes, changeJson, garbage, jsonChanges, type Json } from '../support/hostile';
import { journalOf, type Moment } from '../support/journals';

allowTime();

const folder = mkdtempSync(join(tmpdir(), 'xr-aws-ha-fuzz-'));
const path = join(folder, 'journal.jsonl');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const journal: fc.Arbitrary<string> = story.map(([plan, moves]) => {
  let state = initialState(plan);
  let now = 1_000;
  const moments = moves.map(({ afterMs, eventOf }): Moment => {
    now += afterMs;
    const event = eventOf(state, now, plan);
    ({ state } = step(plan, state, event, now));
    return [now, event];
  });
  return journalOf(plan, moments);
});

const index = fc.nat(60);
const damaged: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 1, arbitrary: garbage },
  {
    weight: 4,
    arbitrary: fc
      .tuple(journal, byteChanges)
      .map(([text, changes]) => changeBytes(Buffer.from(text), changes)),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(journal, index, jsonChanges).map(([text, at, changes]) => {
      const lines = text.trimEnd().split('\n');
      const place = at % lines.length;
      lines[place] = JSON.stringify(changeJson(JSON.parse(lines[place] ?? '') as Json, changes));
      return Buffer.from(`${lines.join('\n')}\n`);
    }),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(journal, index, index, fc.nat(3)).map(([text, from, to, count]) => {
      const lines = text.trimEnd().split('\n');
      const moved = lines.splice(from % lines.length, count);
      lines.splice(to % (lines.length + 1), 0, ...moved, ...moved);
      return Buffer.from(lines.join('\n'));
    }),
  },
);

test('every file ends in one of three ways', () => {
  const codes = new Set<number>();
  fc.assert(
    fc.property(damaged, fc.boolean(), (bytes, all) => {
      writeFileSync(path, bytes);
      const said = { out: '', err: '' };
      const code = replay(
        path,
        { all },
        { out: { write: (more) => (said.out += more) }, err: { write: (more) => (said.err += more) } },
      );
      codes.add(code);
      const named = said.err.startsWith(`replay: ${path}:`);
      ensure(code === 0 ? said.err === '' : named, 'names the place', code, said.err);
      ensure(said.out.endsWith('bit for bit\n') === (code === 0), 'claims no more than it found', said.out);
      // What is in the file does not steer the terminal.
      ensure(!/[^\P{C}\n]/u.test(said.out + said.err), 'printable', said.out, said.err);
    }),
    runs(1_500),
  );
  expect([...codes].sort()).toEqual([0, 1, 2]);
});
