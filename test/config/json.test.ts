/** Text that is not JSON: the report leads to the character. And agreement with JSON.parse on all text. */
import fc from '../support/properties';
import { readJson } from '../../src/config/json';
import { parseConfig } from '../../src/config/load';

function reportOf(text: string): string {
  const loaded = parseConfig(text, 'FILE');
  return loaded.ok ? 'ok' : loaded.report;
}

test('the report shows the line and marks the place', () => {
  expect(reportOf('{\n  "config": {\n\t"grpc_port": 57777\n\t"redis_port": 6379\n  }\n}\n')).toBe(
    [
      'FILE is not JSON: line 4, column 2: a comma or } is missing before this',
      '  4 |  "redis_port": 6379',
      '    |  ^',
    ].join('\n'),
  );
});

test('of a long line it shows the part around the place', () => {
  const report = reportOf(`{"config": {${' '.repeat(300)}x${' '.repeat(20)}${'y'.repeat(300)}}}`);
  expect(report).toBe(
    [
      'FILE is not JSON: line 1, column 313: a key in double quotes is expected here',
      `  1 | ${' '.repeat(60)}x${' '.repeat(20)}${'y'.repeat(19)}`,
      `    | ${' '.repeat(60)}^`,
    ].join('\n'),
  );
});

test('a byte order mark is passed over', () => {
  expect(reportOf('\uFEFF{"config": }')).toBe(
    'FILE is not JSON: line 1, column 12: a value is expected here, after the colon\n  1 | {"config": }\n    |            ^',
  );
});

test.each(['', '  \n\t', '\uFEFF'])('an empty file: %j', (text) => {
  expect(reportOf(text)).toBe(
    'FILE: is empty; write the configuration as {"config": {...}}, see the examples secondary-ip-rtr1.json and secondary-ip-rtr2.json',
  );
});

const mistakes: readonly (readonly [text: string, offset: number, message: string])[] = [
  ['{"a": 1,}', 7, 'no comma may stand before }; remove it'],
  ['[1, 2, ]', 5, 'no comma may stand before ]; remove it'],
  ['{"a": 1 "b": 2}', 8, 'a comma or } is missing before this'],
  ['[1 2]', 3, 'a comma or ] is missing before this'],
  ['{"a" 1}', 5, 'a colon is expected here, between the key and its value'],
  ['{"a": }', 6, 'a value is expected here, after the colon'],
  ['{a: 1}', 1, 'a key in double quotes is expected here'],
  ["{'a': 1}", 1, 'a key in double quotes is expected here'],
  ['{"a": b}', 6, 'a text needs double quotes around it'],
  ['{"a": True}', 6, 'a text needs double quotes around it'],
  ['{"a": 10.0.0.1}', 6, 'this is not a number as JSON writes it; addresses and names need double quotes'],
  ['{"a": 012}', 6, 'this is not a number as JSON writes it; addresses and names need double quotes'],
  ['{"a": "b}\n', 6, 'the closing double quote of this text is missing on its line'],
  ['{"a": "b\tc"}', 8, 'a text may not hold this control character; write \\t for a tab'],
  ['{"a": "\\d"}', 6, 'this text holds a backslash that JSON does not know; write \\\\ for a backslash'],
  ['{"a": 1 // one\n}', 8, 'JSON has no comments; write a key that starts with "_" or "//" in place of it'],
  ['# one\n{}', 0, 'JSON has no comments; write a key that starts with "_" or "//" in place of it'],
  [
    '{\n/* one */ "a": 1}',
    2,
    'JSON has no comments; write a key that starts with "_" or "//" in place of it',
  ],
  ['{"a": {"b": 1}', 14, 'the text ends here; the { of line 1 has no }'],
  ['\n[1', 3, 'the text ends here; the [ of line 2 has no ]'],
  ['{"a":', 5, 'the text ends here; a value is expected here, after the colon'],
  ['{} {}', 3, 'the document has ended before this; remove it, or a bracket too many above'],
  ['['.repeat(65), 64, 'this is nested more than 64 levels deep; no configuration is'],
];

test.each(mistakes)('%j', (text, offset, message) => {
  expect(readJson(text)).toEqual({ ok: false, offset, message });
});

test('keys that are written twice are named, and the last one counts', () => {
  expect(readJson('{"a": [{"b": 1, "b": 2}], "a": 3}')).toEqual({
    ok: true,
    value: { a: 3 },
    duplicates: [
      { path: ['a', 0, 'b'], first: 8, again: 16 },
      { path: ['a'], first: 1, again: 26 },
    ],
  });
});

describe('agrees with JSON.parse', () => {
  function expectAgreement(text: string) {
    let expected: unknown;
    try {
      expected = { value: JSON.parse(text) as unknown };
    } catch {
      expected = 'refused';
    }
    const reading = readJson(text);
    expect(reading.ok ? { value: reading.value } : 'refused').toEqual(expected);
  }

  test('on JSON', () => {
    fc.assert(fc.property(fc.json({ maxDepth: 5 }), expectAgreement));
  });

  test('on JSON with a slip', () => {
    const piece = fc.constantFrom(
      ...'{}[]:,"\\/-+.eE019 \n\tntu',
      '"a"',
      '1.5',
      'true',
      '\u0000',
      '"__proto__"',
    );
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), fc.nat(), fc.nat(3), piece, (text, place, removed, inserted) => {
        const at = place % (text.length + 1);
        expectAgreement(text.slice(0, at) + inserted + text.slice(at + removed));
      }),
      { numRuns: 500 },
    );
  });

  test('on pieces of JSON', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"a"',
      '"b"',
      '1',
      '-0',
      '1e5',
      'null',
      ' ',
      '\n',
      '"',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => expectAgreement(pieces.join(''))),
      { numRuns: 1000 },
    );
  });
});
