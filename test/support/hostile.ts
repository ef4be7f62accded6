/**
 * Turning what is valid into what is not, by plan: a plan is a small value that fast-check can draw, print
 * and shrink, and `change...` carries it out. On JSON and XML it works on the structure, on bytes anywhere.
 */
import fc from './properties';

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

// --- Values ----------------------------------------------------------------------------------------

const nested = (depth: number, open: string, close: string): Json =>
  JSON.parse(open.repeat(depth) + (close === '}' ? '1' : '') + close.repeat(depth)) as Json;

/** Each is made anew: the longest are not worth printing in a counterexample. */
const hostileValues: readonly (() => Json)[] = [
  () => null,
  () => true,
  () => [],
  () => ({}),
  ...[0, -0, -1, 1, 0.5, 255, 256, 65_536, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 63), 1e308, 5e-324].map(
    (number) => () => number,
  ),
  () => '',
  () => ' ',
  () => 'x'.repeat(100_000),
  () => '1'.repeat(400),
  () => '-'.repeat(65_000) + '!',
  () => `us-west-2-${'a'.repeat(20_000)}!`,
  () => '172.31.105.10',
  () => '0172.031.105.10',
  () => '::1',
  () => '1e3',
  () => '0x10',
  () => '\u0000',
  () => 'a\u0000b',
  () => '\u001b[31mred\u0007',
  () => '\u202egnp.exe',
  () => '\ud800',
  () => '\u{1f9e8}\u0301\u200d\ufeff',
  () => 'two\nlines\r\nand more',
  () => '../../../../etc/passwd',
  () => '__proto__',
  () => 'constructor',
  () => 'toString',
  () => nested(40, '[', ']'),
  () => nested(40, '{"a":', '}'),
  () => nested(1_000, '[', ']'),
  () => JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}') as Json,
];

const hostileKeys = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', '0', 'length', '\u0000'];

// --- JSON ------------------------------------------------------------------------------------------

const pick = fc.nat({ max: 1_000_000 });

/** `at` and `other` choose places of the document, `value` one of the values above. */
export type JsonChange = {
  readonly how: 'drop' | 'replace' | 'rename' | 'add' | 'copy' | 'swap' | 'wrap' | 'text';
  readonly at: number;
  readonly other: number;
  readonly value: number;
};

export const jsonChange: fc.Arbitrary<JsonChange> = fc.record({
  how: fc.constantFrom('drop', 'replace', 'rename', 'add', 'copy', 'swap', 'wrap', 'text'),
  at: pick,
  other: pick,
  value: pick,
});

/** 0 to 4 changes; most documents stay near to what they were. */
export const jsonChanges = fc.array(jsonChange, { maxLength: 4 });

type Place = { readonly holder: { [key: string]: Json }; readonly key: string };

function placesIn(value: Json, found: Place[] = []): Place[] {
  if (typeof value !== 'object' || value === null) return found;
  // An array is an object with such keys too.
  const holder = value as { [key: string]: Json };
  for (const key of Object.keys(holder)) {
    found.push({ holder, key });
    if (found.length < 5_000) placesIn(holder[key] ?? null, found);
  }
  return found;
}

const chosen = <Item>(items: readonly Item[], number: number): Item | undefined =>
  items[number % Math.max(1, items.length)];

export const hostileValue = (number: number): Json => chosen(hostileValues, number)?.() ?? null;

/** The document itself stays as it is. */
export function changeJson(document: Json, changes: readonly JsonChange[]): Json {
  const root = { root: structuredClone(document) };
  for (const change of changes) {
    const places = placesIn(root);
    const place = chosen(places, change.at);
    const other = chosen(places, change.other);
    if (place === undefined || other === undefined) continue;
    changePlace(place, other, change);
  }
  return root.root ?? null;
}

function changePlace({ holder, key }: Place, other: Place, { how, other: number, value }: JsonChange): void {
  const present = holder[key] ?? null;
  switch (how) {
    case 'drop':
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else delete holder[key];
      return;
    case 'replace':
      return put(holder, key, hostileValue(value));
    case 'rename':
      return put(holder, chosen(hostileKeys, value) ?? '', present);
    case 'add':
      if (Array.isArray(present)) present.push(hostileValue(value));
      else if (typeof present === 'object' && present !== null)
        put(present, chosen(hostileKeys, number) ?? '', hostileValue(value));
      return;
    case 'copy':
      if (Array.isArray(holder)) holder.splice(Number(key), 0, structuredClone(present));
      else put(holder, `${key}${value % 3}`, structuredClone(present));
      return;
    case 'swap': {
      const theirs = structuredClone(other.holder[other.key] ?? null);
      put(other.holder, other.key, structuredClone(present));
      return put(holder, key, theirs);
    }
    case 'wrap':
      return put(holder, key, value % 2 === 0 ? [present] : { value: present });
    case 'text':
      return put(holder, key, typeof present === 'string' ? Number(present) || 7 : JSON.stringify(present));
  }
}

/** Also for `__proto__`, which an assignment would take for the prototype. */
function put(holder: { [key: string]: Json }, key: string, value: Json): void {
  // An array has no names, and a length that is not to be written.
  if (Array.isArray(holder) && !/^\d+$/.test(key)) holder.push(value);
  else Object.defineProperty(holder, key, { value, writable: true, enumerable: true, configurable: true });
}

// --- Bytes -----------------------------------------------------------------------------------------

/** `at` is a place as a share of the whole in millionths. */
export type ByteChange = {
  readonly how: 'truncate' | 'flip' | 'delete' | 'repeat' | 'insert' | 'overwrite';
  readonly at: number;
  readonly length: number;
  readonly bytes: Uint8Array;
};

const tokens = [
  '\u0000',
  '{',
  '}',
  '[',
  ']',
  '"',
  '\\',
  ',',
  ':',
  '"a":1,',
  '<',
  '>',
  '</',
  '<!--',
  '<![CDATA[',
  ']]>',
  '&amp;',
  '&#0;',
  '&lol;',
  '<?xml?>',
  '\r\n',
  '$-1\r\n',
  '*2\r\n',
  '1e999',
  '\ufeff',
  // Deeper than any stack, closed and unclosed.
  `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
  '{"a":'.repeat(50_000),
  '<a>'.repeat(50_000),
];

const someBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 12 }),
  fc.constantFrom(...tokens).map((token) => new Uint8Array(Buffer.from(token))),
  fc.constantFrom(0, 0x7f, 0x80, 0xff).map((byte) => new Uint8Array(10).fill(byte)),
);

export const byteChange: fc.Arbitrary<ByteChange> = fc.record({
  how: fc.constantFrom('truncate', 'flip', 'delete', 'repeat', 'insert', 'overwrite'),
  at: pick,
  length: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 400 })),
  bytes: someBytes,
});

export const byteChanges = fc.array(byteChange, { maxLength: 4 });

export function changeBytes(content: Uint8Array, changes: readonly ByteChange[]): Buffer {
  return changes.reduce(changeOnce, Buffer.from(content));
}

function changeOnce(content: Buffer, { how, at, length, bytes }: ByteChange): Buffer {
  const from = Math.floor((at / 1_000_001) * (content.length + 1));
  const before = content.subarray(0, from);
  const after = content.subarray(from);
  switch (how) {
    case 'truncate':
      return before;
    case 'flip': {
      const flipped = Buffer.from(content);
      if (from < flipped.length) flipped[from] = (flipped[from] ?? 0) ^ (1 << (length % 8));
      return flipped;
    }
    case 'delete':
      return Buffer.concat([before, after.subarray(length)]);
    case 'repeat':
      return Buffer.concat([before, after.subarray(0, length), after.subarray(0, length), after]);
    case 'insert':
      return Buffer.concat([before, bytes, after]);
    case 'overwrite':
      return Buffer.concat([before, bytes, after.subarray(bytes.length)]);
  }
}

/** Nothing that was ever valid. */
export const garbage: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ unit: 'binary', maxLength: 200 }).map((text) => Buffer.from(text)),
  fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text)),
  fc.array(fc.constantFrom(...tokens), { maxLength: 60 }).map((words) => Buffer.from(words.join(''))),
);
