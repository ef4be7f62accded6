// Holds our .proto files to the published interface, by number: names are free on the wire.
// wireShape.json is the reduced descriptor of interface versions 0.3, 0.6 and 0.11.
import { loadSync, type MethodDefinition, type PackageDefinition } from '@grpc/proto-loader';
import { join } from 'node:path';
import published from './wireShape.json';

const protoDir = join(__dirname, '..', '..', 'proto');
const load = (file: string): PackageDefinition =>
  loadSync(join(protoDir, file), { keepCase: true, longs: String, bytes: String });
const roots = {
  core: load('core.proto'),
  gen1: load('interface-gen1.proto'),
  gen2: load('interface-gen2.proto'),
};

/** A field as the wire sees it; a message is described by its own fields. */
type WireField = { readonly repeated: boolean; readonly type: string | WireMessage };
interface WireMessage {
  readonly [fieldNumber: string]: WireField;
}
type Numbers = Readonly<Record<string, number>>;

type PublishedField = { number: number; type: string; kind: string; label: string };
type PublishedMethod = {
  path: string;
  req: string;
  res: string;
  client_stream: boolean;
  server_stream: boolean;
};
type Generation = {
  services: Record<string, Record<string, PublishedMethod>>;
  messages: Record<string, Record<string, PublishedField>>;
  enums: Record<string, Numbers>;
};
const generations = published.generations as unknown as Record<'v0.3' | 'v0.6' | 'v0.11', Generation>;

function publishedShape(generation: Generation, message: string): WireMessage {
  const fields = Object.values(generation.messages[message] ?? {});
  return Object.fromEntries(
    fields.map((field) => [
      field.number,
      {
        repeated: field.label === 'repeated',
        type:
          field.kind === 'message'
            ? publishedShape(generation, field.type)
            : field.kind === 'enum'
              ? 'enum'
              : field.type,
      },
    ]),
  );
}

type OurEnum = { name: string; value: { name: string; number: number }[] };
type OurField = { name: string; number: number; type: string; typeName: string; label: string };
type OurMessage = { name: string; field: OurField[]; enumType: OurEnum[] };

function ourShape(root: PackageDefinition, message: OurMessage): WireMessage {
  return Object.fromEntries(
    message.field.map((field) => [
      field.number,
      { repeated: field.label === 'LABEL_REPEATED', type: ourType(root, field) },
    ]),
  );
}

function ourType(root: PackageDefinition, field: OurField): string | WireMessage {
  const scalarOrEnum = field.type.replace('TYPE_', '').toLowerCase();
  if (scalarOrEnum !== 'message') return scalarOrEnum;
  return ourShape(root, ourMessage(root, field.typeName));
}

function ourMessage(root: PackageDefinition, name: string): OurMessage {
  const definition = root[`service_layer.${name}`];
  if (definition === undefined || !('type' in definition)) throw new Error(`no message ${name}`);
  return definition.type as OurMessage;
}

/** Every enum of a root, nested ones by the name Outer.Inner. */
function ourEnums(root: PackageDefinition): Record<string, Numbers> {
  const numbers = (of: OurEnum): Numbers => Object.fromEntries(of.value.map((v) => [v.name, v.number]));
  const all: Record<string, Numbers> = {};
  for (const [path, definition] of Object.entries(root)) {
    if (!('type' in definition)) continue;
    const name = path.replace('service_layer.', '');
    if (definition.format === 'Protocol Buffer 3 EnumDescriptorProto') {
      all[name] = numbers(definition.type as OurEnum);
    } else {
      for (const inner of (definition.type as OurMessage).enumType)
        all[`${name}.${inner.name}`] = numbers(inner);
    }
  }
  return all;
}

function ourMethods(root: PackageDefinition): MethodDefinition<object, object>[] {
  return Object.values(root).flatMap((definition) =>
    'type' in definition ? [] : Object.values(definition as Record<string, MethodDefinition<object, object>>),
  );
}

function publishedMethods(generation: Generation, services: readonly string[]): PublishedMethod[] {
  return services.flatMap((service) => Object.values(generation.services[service] ?? {}));
}

const ourCall = (root: PackageDefinition, method: MethodDefinition<object, object>) => ({
  path: method.path,
  clientStream: method.requestStream,
  serverStream: method.responseStream,
  request: ourShape(root, method.requestType.type as OurMessage),
  response: ourShape(root, method.responseType.type as OurMessage),
});

const publishedCall = (generation: Generation, method: PublishedMethod) => ({
  path: method.path,
  clientStream: method.client_stream,
  serverStream: method.server_stream,
  request: publishedShape(generation, method.req),
  response: publishedShape(generation, method.res),
});

const byPath = (a: { path: string }, b: { path: string }) => a.path.localeCompare(b.path);

const exact: readonly [keyof typeof roots, keyof typeof generations, readonly string[]][] = [
  ['core', 'v0.11', ['SLGlobal', 'SLBfdv4Oper', 'SLBfdv6Oper']],
  ['core', 'v0.6', ['SLBfdv4Oper', 'SLBfdv6Oper']],
  ['core', 'v0.3', ['SLBfdv4Oper', 'SLBfdv6Oper']],
  ['gen1', 'v0.6', ['SLInterfaceOper']],
  ['gen1', 'v0.3', ['SLInterfaceOper']],
  ['gen2', 'v0.11', ['SLInterfaceOper']],
];

test.each(exact)('%s has the RPCs and messages of interface version %s: %j', (name, version, services) => {
  const root = roots[name];
  const ours = ourMethods(root)
    .filter((method) => services.some((service) => method.path.startsWith(`/service_layer.${service}/`)))
    .map((method) => ourCall(root, method));
  const theirs = publishedMethods(generations[version], services).map((method) =>
    publishedCall(generations[version], method),
  );
  expect(theirs.length).toBeGreaterThan(0);
  expect(ours.sort(byPath)).toEqual(theirs.sort(byPath));
});

test.each(['v0.3', 'v0.6'] as const)('SLGlobal of interface version %s is a part of ours', (version) => {
  const ours = ourMethods(roots.core).map((method) => ourCall(roots.core, method));
  const theirs = publishedMethods(generations[version], ['SLGlobal']);
  expect(theirs).toHaveLength(2);
  for (const method of theirs) {
    const mine = ours.find((candidate) => candidate.path === method.path);
    expect(mine).toMatchObject(publishedCall(generations[version], method));
  }
});

test('no root has an RPC that the interface does not have', () => {
  const known = Object.values(generations).flatMap((generation) =>
    publishedMethods(generation, Object.keys(generation.services)).map((method) => method.path),
  );
  for (const root of Object.values(roots)) {
    for (const method of ourMethods(root)) expect(known).toContain(method.path);
  }
});

const enumPairs: readonly [keyof typeof roots, keyof typeof generations][] = [
  ['core', 'v0.11'],
  ['gen1', 'v0.6'],
  ['gen2', 'v0.11'],
];

test.each(enumPairs)('enums of %s have the numbers of interface version %s', (name, version) => {
  const theirs = generations[version].enums;
  const ours = Object.entries(ourEnums(roots[name])).filter(([enumName]) => enumName in theirs);
  expect(ours.length).toBeGreaterThan(2);
  for (const [enumName, numbers] of ours) {
    // Each root holds the errors of all services and generations, so there the newest list is the yardstick.
    const isErrno = enumName === 'SLErrorStatus.SLErrno';
    expect(isErrno ? generations['v0.11'].enums[enumName] : theirs[enumName]).toEqual(
      isErrno ? expect.objectContaining(numbers) : numbers,
    );
  }
});

test('the two interface generations give the same number opposite meanings', () => {
  const gen1 = ourEnums(roots.gen1)['SLInterfaceState'];
  const gen2 = ourEnums(roots.gen2)['SLInterfaceState'];
  expect(gen1?.['SL_IF_STATE_UP']).toBe(2);
  expect(gen2?.['SL_IF_STATE_DOWN']).toBe(2);
});

describe('golden vectors', () => {
  const vectors = published.goldenVectors.flatMap((vector) => {
    const inCore = `service_layer.${vector.message}` in roots.core;
    const names = inCore
      ? (['core'] as const)
      : vector.generation === 'gen1'
        ? (['gen1'] as const)
        : (['gen2'] as const);
    return names.map((root) => ({ ...vector, root }));
  });

  function codec(root: keyof typeof roots, message: string) {
    const definition = roots[root][`service_layer.${message}`];
    if (definition?.['format'] !== 'Protocol Buffer 3 DescriptorProto')
      throw new Error(`no message ${message}`);
    return definition;
  }

  test('there are vectors for every root', () => {
    expect(new Set(vectors.map((vector) => vector.root))).toEqual(new Set(['core', 'gen1', 'gen2']));
  });

  test.each(vectors)('$root $message: $what decodes', ({ root, message, json, hex }) => {
    const decoded = codec(root, message).deserialize(Buffer.from(hex, 'hex'));
    expect(plain(decoded)).toEqual(withoutZeros(json));
  });

  test.each(vectors)('$root $message: $what encodes', ({ root, message, json, hex }) => {
    const encoded = codec(root, message).serialize(withoutZeros(json) as object);
    expect(encoded.toString('hex')).toBe(hex);
  });
});

/** proto3 leaves zeros out; the JSON of a vector may name them. */
function withoutZeros(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutZeros);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== 0 && inner !== '' && inner !== false)
      .map(([key, inner]) => [key, withoutZeros(inner)]),
  );
}

const plain = (message: object): unknown => JSON.parse(JSON.stringify(message));
