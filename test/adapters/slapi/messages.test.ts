// The translators take anything: they never throw, and only a well-formed DOWN is read as Down.
import fc from '../../support/properties';
import { bfdEntry, bfdLimits, bfdNotice, keyOf } from '../../../src/slapi/bfdMessages';
import { errorMeaning, inWords, outcomeOf } from '../../../src/slapi/errors';
import { interfaceNotice } from '../../../src/slapi/interfaces';
import { asMessage, protoJson, raw } from '../../../src/slapi/message';
import { protos, type Method } from '../../../src/slapi/protos';
import { diagnostic, interfaceLevel, sessionLevel } from '../../../src/slapi/vocabulary';
import { session1, session2 } from './rig';

const messageOf = (method: Method, hex: string) => asMessage(method.decode(Buffer.from(hex, 'hex'))) ?? {};

describe('notifications as routers send them', () => {
  test.each([
    [
      '08021a220a1a080118f1cbfde00a22100a0e54656e47696745302f302f302f31120408341001',
      'Up',
      'NoDiagnostic',
      52n,
    ],
    [
      '08021a220a1a080118f1cbfde00a22100a0e54656e47696745302f302f302f31120408351002',
      'Down',
      'NoDiagnostic',
      53n,
    ],
    [
      '08021a240a1a080118f1cbfde00a22100a0e54656e47696745302f302f302f311206083610021801',
      'Down',
      'ControlDetectionTimeExpired',
      54n,
    ],
    [
      '08021a220a1a080118f1cbfde00a22100a0e54656e47696745302f302f302f31120408371003',
      'Unconfigured',
      'NoDiagnostic',
      55n,
    ],
  ])('%s', (hex, level, diag, seqNum) => {
    expect(bfdNotice(messageOf(protos().bfd.IPv4.events, hex))).toMatchObject({
      kind: 'session',
      key: keyOf(session1),
      known: { level, diag, seqNum },
    });
  });

  test('another client has taken the BFD stream', () => {
    expect(bfdNotice(messageOf(protos().bfd.IPv4.events, '08011202080c'))).toMatchObject({
      kind: 'error',
      error: { name: 'SL_NOTIF_TERM' },
    });
  });

  test.each([
    ['gen1', '08021a160a100a0e54656e47696745302f302f302f3210011807', 'Down'],
    ['gen1', '08021a160a100a0e54656e47696745302f302f302f3210021808', 'Up'],
    ['gen2', '12210a140a1248756e6472656447696745302f302f302f3110021880c0ed82daf38d03', 'Down'],
    ['gen2', '12210a140a1248756e6472656447696745302f302f302f3110031880c0ed82daf38d03', 'Up'],
  ] as const)('interface, %s %s', (generation, hex, level) => {
    const { events } = protos()[generation];
    expect(interfaceNotice(generation, messageOf(events, hex))).toMatchObject({ known: { level } });
  });

  test('zeros that were sent are left out of the JSON form, as Python leaves them out', () => {
    const explicit = messageOf(
      protos().bfd.IPv4.events,
      '08021a240a1a080118f1cbfde00a22100a0e54656e47696745302f302f302f311206083410011800',
    );
    expect(protoJson(explicit)).toEqual({
      EventType: 'SL_BFD_EVENT_TYPE_SESSION_STATE',
      Session: {
        Key: { Type: 'SL_BFD_SINGLE_HOP', NbrAddr: 2887738865, Interface: { Name: 'TenGigE0/0/0/1' } },
        State: { SeqNum: '52', Status: 'SL_BFD_SESSION_UP' },
      },
    });
  });
});

describe('anything at all', () => {
  const decoded = (method: Method, bytes: Buffer) => {
    try {
      return asMessage(method.decode(bytes));
    } catch {
      return null;
    }
  };
  const methods = [
    protos().bfd.IPv4.events,
    protos().bfd.IPv4.read,
    protos().gen1.events,
    protos().gen2.events,
  ];

  const readAll = (message: { readonly [field: string]: unknown }): unknown[] => [
    bfdNotice(message),
    bfdEntry(message),
    bfdLimits(message),
    interfaceNotice('gen1', message),
    interfaceNotice('gen2', message),
    outcomeOf(message['ErrStatus']),
    protoJson(message),
    raw(message),
  ];

  test('random bytes do not decode, or say nothing about a configured session', () => {
    const configured = [keyOf(session1), keyOf(session2)];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...methods), (bytes, method) => {
        const message = decoded(method, Buffer.from(bytes));
        if (message === null) return;
        readAll(message);
        for (const notice of [bfdNotice(message), bfdEntry(message)]) {
          if (notice.kind === 'session') expect(configured).not.toContain(notice.key);
        }
      }),
    );
  });

  test('an UP with any one byte of it changed, but for the state itself, is never DOWN', () => {
    const up = '08021a220a1a080118f1cbfde00a22100a0e54656e47696745302f302f302f31120408341001';
    const changed = Array.from({ length: up.length / 2 - 1 }, (_, at) =>
      Array.from({ length: 256 }, (__, byte) => {
        const bytes = Buffer.from(up, 'hex');
        bytes[at] = byte;
        return bytes;
      }),
    ).flat();
    const levels = changed.flatMap((bytes) => {
      const message = decoded(protos().bfd.IPv4.events, bytes);
      const notice = message === null ? null : bfdNotice(message);
      return notice?.kind === 'session' ? [notice.known.level] : [];
    });
    expect(levels).toContain('Up');
    expect(levels).not.toContain('Down');
  });

  test('random objects under the names of the fields', () => {
    const fields = [
      'EventType',
      'Session',
      'Key',
      'State',
      'Status',
      'SeqNum',
      'Info',
      'SLIfInfo',
      'IfState',
    ];
    const names = ['ErrStatus', 'NbrAddr', 'Interface', 'Name', 'Type', 'VrfName', 'Diag', '__proto__'];
    const words = [
      'SL_BFD_EVENT_TYPE_SESSION_STATE',
      'SL_BFD_SINGLE_HOP',
      'SL_BFD_SESSION_UP',
      'constructor',
    ];
    const object = fc.object({
      key: fc.constantFrom(...fields, ...names),
      maxDepth: 4,
      values: [fc.constantFrom(...words), fc.anything({ maxDepth: 1 }), fc.nat(), fc.bigInt()],
    });
    fc.assert(
      fc.property(object, (message) => {
        const known = readAll({ ...message }).map((read) => asMessage(asMessage(read)?.['known'])?.['level']);
        expect(known).not.toContain('Down');
      }),
    );
  });

  test('only the names of the tables have a meaning', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.string()), (value) => {
        expect(sessionLevel(value)).not.toBe('Down');
        expect(interfaceLevel('gen1', value)).not.toBe('Down');
        expect(interfaceLevel('gen2', value)).not.toBe('Down');
        expect(typeof diagnostic(value)).toBe('string');
        expect(inWords(errorMeaning(value)).length).toBeGreaterThan(0);
      }),
    );
  });
});
