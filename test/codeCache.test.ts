/** The recorded code beside the bundle: used for what it was made of, and never for anything else. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformSync } from 'esbuild';

const source = readFileSync(join(__dirname, '..', 'src', 'codeCache.ts'), 'utf8');

/** Says a word, and where it stands. */
const chunk = (word: string): string =>
  `exports.say = () => '${word}'; exports.at = () => new Error('here').stack;`;

let folder: string;
const chunkPath = (): string => join(folder, 'chunks', 'part.js');
const codePath = (): string => `${chunkPath()}.code`;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'xr-aws-ha-code-'));
  mkdirSync(join(folder, 'chunks'));
  writeFileSync(join(folder, 'codeCache.js'), transformSync(source, { loader: 'ts', format: 'cjs' }).code);
  writeFileSync(chunkPath(), chunk('first'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(how: 'recordCode' | 'useRecordedCode', ...flags: readonly string[]): string {
  const script = `require('./codeCache.js').${how}(); Promise.resolve(require('./chunks/part.js').say()).then((word) => process.stdout.write(word));`;
  return execFileSync(process.execPath, [...flags, '-e', script], { cwd: folder, encoding: 'utf8' }).trim();
}

const sha256 = (content: string | Buffer): Buffer => createHash('sha256').update(content).digest();

test('what was recorded runs in place of a text that has its hash', () => {
  expect(run('recordCode')).toBe('first');
  // V8 itself looks at the length of a text only: so this says which of the two ran.
  const other = chunk('other');
  writeFileSync(chunkPath(), other);
  writeFileSync(codePath(), Buffer.concat([sha256(other), readFileSync(codePath()).subarray(32)]));
  expect(run('useRecordedCode')).toBe('first');
});

describe('the text runs', () => {
  test('when it imports while it runs, which recorded code cannot', () => {
    writeFileSync(chunkPath(), `exports.say = () => import('node:os').then(() => 'imported');`);
    expect(run('recordCode')).toBe('imported');
    expect(existsSync(codePath())).toBe(false);
    expect(run('useRecordedCode')).toBe('imported');
  });

  test('when nothing was recorded', () => {
    expect(run('useRecordedCode')).toBe('first');
    expect(existsSync(codePath())).toBe(false);
  });

  test('when it is another one, of the same length', () => {
    run('recordCode');
    writeFileSync(chunkPath(), chunk('other'));
    expect(run('useRecordedCode')).toBe('other');
  });

  test.each([
    [
      'a byte is another one',
      (code: Buffer) => code.fill(code.at(-9) === 0 ? 1 : 0, code.length - 9, code.length - 8),
    ],
    ['the end is missing', (code: Buffer) => code.subarray(0, code.length - 9)],
    ['it is empty', () => Buffer.alloc(0)],
  ])('when what was recorded is damaged: %s', (_, damage) => {
    run('recordCode');
    writeFileSync(codePath(), damage(readFileSync(codePath())));
    expect(run('useRecordedCode')).toBe('first');
  });

  test('when V8 has other flags than at the recording', () => {
    run('recordCode');
    expect(run('useRecordedCode', '--no-opt')).toBe('first');
  });
});

test('a stack has the place in the file', () => {
  run('recordCode');
  const script = `require('./codeCache.js').useRecordedCode(); process.stdout.write(require('./chunks/part.js').at());`;
  const stack = execFileSync(process.execPath, ['-e', script], { cwd: folder, encoding: 'utf8' });
  expect(stack).toContain(`${chunkPath()}:1:${chunk('first').indexOf('new Error') + 1})`);
});
