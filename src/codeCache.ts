/**
 * What V8 has made of the product's files, kept beside them (`NAME.js.code`), so that a start need not compile them again.
 * A file of it counts only for the very text that it was made of, whole, and for this V8 with these flags: else the text
 * is compiled as ever. `npm run build` records it, from a daemon that takes over in the lab (scripts/recordCode.ts).
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';

type LoadedModule = { exports: unknown };
type Loader = (module: LoadedModule, path: string) => void;
type Kept = { readonly script: Script; readonly text: string };

const HASH_BYTES = 32;
const [PROLOGUE = '', EPILOGUE = ''] = Module.wrap('\0').split('\0');
/** The healer is another product, with a file of its own. */
const OWN_FILES = join(__dirname, 'chunks') + sep;

let isOn = false;

/** From now on, files of the product are loaded by what was recorded of them. To be called before any is. */
export function useRecordedCode(): void {
  if (!isOn) turnOn((path, text) => recordedOf(path, text), null);
}

/** Records what this process compiles until it ends, in place of using what was recorded before. */
export function recordCode(): void {
  const compiled = new Map<string, Kept>();
  turnOn(() => undefined, compiled);
  process.on('exit', () => {
    for (const [path, { script, text }] of compiled) {
      const code = script.createCachedData();
      writeFileSync(codePath(path), Buffer.concat([sha256(text), sha256(code), code]));
    }
  });
}

function turnOn(
  codeOf: (path: string, text: string) => Buffer | undefined,
  compiled: Map<string, Kept> | null,
): void {
  isOn = true;
  // V8 forgets what it has compiled when it has not run for a while: a takeover comes after months. V8 takes recorded
  // code only with the flags of the recording, so this stands here.
  setFlagsFromString('--no-flush-bytecode');
  const { extensions } = require as unknown as { readonly extensions: Record<string, Loader> };
  const plain = extensions['.js'];
  extensions['.js'] = (module, path) => {
    if (!path.startsWith(OWN_FILES)) return plain?.(module, path);
    const text = readFileSync(path, 'utf8');
    // A script from the cache cannot say `import()`: Node finds no loader for it (20.20.2). `require()` has no such need.
    if (/\bimport\(/.test(text)) return plain?.(module, path);
    const cachedData = codeOf(path, text);
    if (cachedData === undefined && compiled === null) return plain?.(module, path);
    const script = new Script(`${PROLOGUE}${text}${EPILOGUE}`, {
      filename: path,
      // Places in stacks are those of the file.
      columnOffset: -PROLOGUE.length,
      ...(cachedData === undefined ? {} : { cachedData }),
    });
    compiled?.set(path, { script, text });
    const run = script.runInThisContext() as (...args: unknown[]) => void;
    run.call(module.exports, module.exports, createRequire(path), module, path, dirname(path));
  };
}

function recordedOf(path: string, text: string): Buffer | undefined {
  let kept;
  try {
    kept = readFileSync(codePath(path));
  } catch {
    return undefined;
  }
  const code = kept.subarray(2 * HASH_BYTES);
  const isWhole =
    sha256(text).equals(kept.subarray(0, HASH_BYTES)) &&
    sha256(code).equals(kept.subarray(HASH_BYTES, 2 * HASH_BYTES));
  return isWhole ? code : undefined;
}

const codePath = (path: string): string => `${path}.code`;
const sha256 = (content: string | Buffer): Buffer => createHash('sha256').update(content).digest();
