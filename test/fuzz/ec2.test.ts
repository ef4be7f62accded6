/**
 * A hostile EC2 endpoint: any bytes for an answer. What comes of it is a value, never an exception; nothing is
 * read as this router's that the answer does not show there, no write counts as done that was not confirmed,
 * and an answer without an end costs a bounded amount of memory.
 */
import fc from '../support/properties';
import { openEc2, type Ec2 } from '../../src/aws/transport/ec2';
import type { InstanceIdentity } from '../../src/aws/reads/instanceIdentity';
import { observeOwnership, type ObservationResult } from '../../src/aws/reads/observe';
import type { Failure } from '../../src/core/state/readings';
import {
  addressOf,
  eniOf,
  memoryLog,
  now,
  plan,
  ROUTER_1,
  ROUTER_2,
  targetOf,
  VPC,
  moverOf,
} from '../adapters/aws/awsLab';
import { eventually } from '../support/eventually';
import { allowTime, ensure, runs } from '../support/fuzz';
import { byteChanges, changeBytes, garbage } from '../support/hostile';
import { changeXml, TEXT, xmlChanges, type Xml } from '../support/hostileXml';
import { httpAnswer, startRawHttp, type RawHttp, type RawResponse } from '../support/rawHttp';

allowTime();

// --- Answers as EC2 gives them ----------------------------------------------------------------------

const element = (name: string, content: string | readonly Xml[]): Xml => ({ name, content });
const itemSet = (name: string, items: readonly (readonly Xml[])[]): Xml =>
  element(
    name,
    items.map((content) => element('item', content)),
  );

type Owner = 1 | 2 | null;

function interfaceXml(router: 1 | 2, deviceIndex: number, holds: boolean): readonly Xml[] {
  const primary = addressOf(router, deviceIndex);
  const addresses = holds ? [primary, targetOf(deviceIndex)] : [primary];
  return [
    element('networkInterfaceId', eniOf(router, deviceIndex)),
    element('subnetId', `subnet-0000000${deviceIndex}`),
    element('vpcId', VPC),
    element('status', 'in-use'),
    element('privateIpAddress', primary),
    itemSet(
      'privateIpAddressesSet',
      addresses.map((address) => [
        element('privateIpAddress', address),
        element('primary', String(address === primary)),
      ]),
    ),
    element('attachment', [
      element('attachmentId', `eni-attach-0000000${router}${deviceIndex}`),
      element('instanceId', router === 1 ? ROUTER_1 : ROUTER_2),
      element('deviceIndex', String(deviceIndex)),
      element('networkCardIndex', '0'),
      element('status', 'attached'),
    ]),
  ];
}

/** Who holds the targets of the device indexes 1 and 2. */
const described = (first: Owner, second: Owner): Xml =>
  element('DescribeNetworkInterfacesResponse', [
    element('requestId', 'fdcdcab1-ae5c-489e-9c33-4637c5dda355'),
    itemSet(
      'networkInterfaceSet',
      ([1, 2] as const).flatMap((router) =>
        [0, 1, 2].flatMap((index) => {
          const holds = (index === 1 && first === router) || (index === 2 && second === router);
          // Of the peer what was asked about: the address of the session, and who holds a target.
          const isAsked = router === 1 || index === 1 || holds;
          return isAsked ? [interfaceXml(router, index, holds)] : [];
        }),
      ),
    ),
  ]);

const assigned = (networkInterfaceId: string): Xml =>
  element('AssignPrivateIpAddressesResponse', [
    element('requestId', 'fdcdcab1-ae5c-489e-9c33-4637c5dda355'),
    element('networkInterfaceId', networkInterfaceId),
    itemSet('assignedPrivateIpAddressesSet', [[element('privateIpAddress', targetOf(1))]]),
    element('return', 'true'),
  ]);

const refusal = (code: string): Xml =>
  element('Response', [
    element('Errors', [
      element('Error', [element('Code', code), element('Message', 'No, because of that.')]),
    ]),
    element('RequestID', 'ea966190-f9aa-478e-9ede-example'),
  ]);

const identity: InstanceIdentity = {
  instanceId: ROUTER_1,
  region: 'us-west-2',
  availabilityZone: 'us-west-2a',
  interfaces: [0, 1, 2].map((deviceIndex) => ({
    networkInterfaceId: eniOf(1, deviceIndex),
    deviceIndex,
    networkCardIndex: 0,
    primaryAddress: addressOf(1, deviceIndex),
    subnetId: `subnet-0000000${deviceIndex}`,
    subnetCidr: `172.31.${deviceIndex}.0/24`,
    subnetIpv6Cidrs: [],
    vpcId: VPC,
  })),
};

// --- A reader of its own ----------------------------------------------------------------------------

const childrenNamed = ({ content }: Xml, name: string): readonly Xml[] =>
  typeof content === 'string' ? [] : content.filter((child) => child.name === name);
const textsAt = (of: Xml, ...path: readonly string[]): readonly string[] =>
  path
    .reduce<readonly Xml[]>((nodes, name) => nodes.flatMap((node) => childrenNamed(node, name)), [of])
    .flatMap((node) => (typeof node.content === 'string' ? [node.content] : textsAt(node, TEXT)));

/** The interfaces that list the address, wherever EC2 would write an interface. */
const listing = (tree: Xml, address: string): readonly Xml[] =>
  childrenNamed(tree, 'networkInterfaceSet')
    .flatMap((set) => childrenNamed(set, 'item'))
    .filter((each) => textsAt(each, 'privateIpAddressesSet', 'item', 'privateIpAddress').includes(address));

const isMine = (each: Xml, deviceIndex: number): boolean =>
  textsAt(each, 'attachment', 'instanceId').includes(ROUTER_1) &&
  textsAt(each, 'attachment', 'deviceIndex').some((text) => Number(text) === deviceIndex);

// --- The rig ----------------------------------------------------------------------------------------

let http: RawHttp;
let ec2: Ec2;
/** By the body of the request, so that several questions may be out at once. */
let respond: (body: string) => RawResponse = () => Buffer.alloc(0);

beforeEach(async () => {
  http = await startRawHttp(({ body }) => respond(body));
  const keys = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'secret', sessionToken: 'token' };
  ec2 = openEc2({
    endpointUrl: http.url,
    region: 'us-west-2',
    credentials: {
      provider: Object.assign(() => Promise.resolve(keys), { memoized: true as const }),
      refreshNow: () => Promise.resolve(),
    },
    log: memoryLog().log,
    now,
  });
});
afterEach(async () => {
  ec2.stop();
  await http.close();
});

const observe = (timeoutMs: number) => observeOwnership({ ec2, plan, identity, timeoutMs, now });
const mover = () => moverOf(ec2);
const request = {
  attempt: 1,
  call: 1,
  networkInterfaceId: eniOf(1, 1),
  targets: [targetOf(1)],
  rank: 0,
  send: 1,
  allowReassignment: true,
};

/** As core and operators want it: of known kind, one line, nothing that steers a terminal. */
function checkFailure({ kind, code, message }: Failure): void {
  ensure(['throttled', 'refused', 'unsent', 'uncertain'].includes(kind), 'a kind of failure', kind);
  for (const [text, most] of [
    [code, 100],
    [message, 400],
  ] as const)
    ensure(text.length <= most && !/[\p{C}\p{Zl}\p{Zp}]/u.test(text), 'one short line', code, message);
  ensure(code !== '', 'a failure has a code', message);
}

function checkObservation(result: ObservationResult): void {
  if (!result.ok) return checkFailure(result.failure);
  const { observation } = result;
  expect(Object.keys(observation.holders)).toEqual(plan.targets.map(({ id }) => id));
  ensure(observation.interfaces.length > 0, 'own interfaces are there');
  JSON.stringify(observation);
}

const owners = fc.constantFrom<[Owner, Owner]>([2, 2], [1, 1], [null, null], [1, 2], [2, null]);

// --- Observing --------------------------------------------------------------------------------------

test('a holder is who the answer shows, whatever else is wrong with it', async () => {
  let believed = 0;
  await fc.assert(
    fc.asyncProperty(owners, xmlChanges, async ([first, second], changes) => {
      const { text, tree } = changeXml(described(first, second), changes);
      respond = () => httpAnswer(200, Buffer.from(text));
      const result = await observe(5_000);
      checkObservation(result);
      if (!result.ok) return;
      believed += 1;
      for (const { id: address, deviceIndex } of plan.targets) {
        const holder = result.observation.holders[address];
        const holding = listing(tree, address);
        if (holder?.mine === true)
          ensure(
            holding.some((each) => isMine(each, deviceIndex)),
            'read as ours',
            address,
            text,
          );
        if (holder === null) ensure(holding.length === 0, 'read as nobody’s', address, text);
      }
    }),
    runs(250),
  );
  expect(believed).toBeGreaterThan(0);
});

test('an interface that is there twice and differs makes no observation', async () => {
  const { name, content } = described(2, 2);
  const { content: set = '' } = content[1] as Xml;
  const twice = [...(set as readonly Xml[]), element('item', interfaceXml(2, 1, false))];
  const document = element(name, [element('networkInterfaceSet', twice)]);
  respond = () => httpAnswer(200, Buffer.from(changeXml(document, []).text));
  expect(await observe(10_000)).toMatchObject({
    failure: { code: 'MalformedAnswer', message: `${eniOf(2, 1)} is there twice, and not the same` },
  });
});

test('an answer with broken bytes never makes the peer’s targets ours', async () => {
  const whole = httpAnswer(200, Buffer.from(changeXml(described(2, 2), []).text));
  const response = fc.oneof(
    { weight: 4, arbitrary: byteChanges.map((changes) => changeBytes(whole, changes)) },
    { weight: 1, arbitrary: garbage },
    { weight: 1, arbitrary: garbage.map((body) => httpAnswer(200, body)) },
    // What comes after an answer belongs to nothing.
    { weight: 1, arbitrary: garbage.map((rest) => Buffer.concat([whole, rest])) },
    { weight: 1, arbitrary: fc.constant(Buffer.concat([whole, whole])) },
  );
  await fc.assert(
    fc.asyncProperty(response, fc.nat({ max: 5 }), async (bytes, kind) => {
      const ends = kind > 0;
      respond = () => (ends ? { last: bytes } : bytes);
      const result = await observe(ends ? 5_000 : 60);
      checkObservation(result);
      if (!result.ok) return;
      for (const { id: address } of plan.targets)
        ensure(result.observation.holders[address]?.mine !== true, 'read as ours', bytes.toString('latin1'));
    }),
    runs(220),
  );
});

// --- Moving -----------------------------------------------------------------------------------------

const codes = fc.constantFrom(
  'RequestLimitExceeded',
  'UnauthorizedOperation',
  'AuthFailure',
  'PrivateIpAddressLimitExceeded',
  'InternalError',
);

test('a write is confirmed by its own answer and by nothing else', async () => {
  const answer = fc.oneof(
    fc.record({
      document: fc.constantFrom(assigned(eniOf(1, 1)), assigned(eniOf(1, 2))),
      status: fc.constant(200),
    }),
    fc.record({ document: codes.map(refusal), status: fc.constantFrom(400, 403, 500, 503, 200, 302) }),
    fc.record({ document: fc.constant(described(1, 1)), status: fc.constantFrom(200, 204, 304) }),
  );
  let confirmed = 0;
  await fc.assert(
    fc.asyncProperty(answer, xmlChanges, async ({ document, status }, changes) => {
      const { text, tree } = changeXml(document, changes);
      respond = () => httpAnswer(status, Buffer.from(text));
      const timeoutMs = status === 204 || status === 304 ? 60 : 5_000;
      const { failure, apiRequestId } = await mover().send({ ...request, timeoutMs });
      ensure(apiRequestId === null || typeof apiRequestId === 'string', 'an id of the request', apiRequestId);
      if (failure !== null) return checkFailure(failure);
      confirmed += 1;
      ensure(status === 200, 'confirmed by a refusal', status);
      ensure(tree.name === 'AssignPrivateIpAddressesResponse', 'confirmed by another answer', text);
      ensure(
        textsAt(tree, 'networkInterfaceId').join() === request.networkInterfaceId,
        'confirmed for another interface',
        text,
      );
    }),
    runs(220),
  );
  expect(confirmed).toBeGreaterThan(0);
});

test('broken bytes of a refusal confirm nothing', async () => {
  const whole = codes.map((code) => httpAnswer(400, Buffer.from(changeXml(refusal(code), []).text)));
  await fc.assert(
    fc.asyncProperty(
      whole,
      byteChanges,
      garbage,
      fc.nat({ max: 9 }),
      async (bytes, changes, other, which) => {
        respond = () => ({ last: which === 0 ? other : changeBytes(bytes, changes) });
        const { failure } = await mover().send({ ...request, timeoutMs: 5_000 });
        if (failure === null)
          throw new Error(`confirmed by ${changeBytes(bytes, changes).toString('latin1')}`);
        checkFailure(failure);
      },
    ),
    runs(300),
  );
});

test.each<[string, readonly Xml[], Pick<Failure, 'code' | 'message'>]>([
  [
    'elements for a message',
    [element('Code', 'UnauthorizedOperation'), element('Message', [element('toString', 'x')])],
    { code: 'UnauthorizedOperation', message: 'a message that is no text' },
  ],
  [
    'a message that steers a terminal',
    [element('Code', 'UnauthorizedOperation'), element('Message', 'No\u001b[31m \u202ered\r\n')],
    { code: 'UnauthorizedOperation', message: 'No [31m red' },
  ],
  ['an empty code', [element('Code', ''), element('Message', 'No')], { code: 'Unknown', message: 'No' }],
  [
    'a code without an end',
    [element('Code', 'A'.repeat(100_000)), element('Message', 'No')],
    { code: 'Unknown', message: 'No' },
  ],
])('a refusal with %s is a failure like others', async (_name, error, expected) => {
  const document = element('Response', [element('Errors', [element('Error', error)])]);
  respond = () => httpAnswer(400, Buffer.from(changeXml(document, []).text));
  const { failure } = await mover().send({ ...request, timeoutMs: 10_000 });
  expect(failure).toMatchObject(expected);
});

// --- Without an end -----------------------------------------------------------------------------------

const OK = 'HTTP/1.1 200 OK\r\n';
const root = '<DescribeNetworkInterfacesResponse>';
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const KIB_64 = 64 * 1024;

describe('an answer without an end', () => {
  test.each<[string, string, string, RegExp]>([
    ['a body of which no length is told', `${OK}\r\n${root}`, '<item/>'.repeat(9_000), /^MalformedAnswer$/],
    [
      'a body of a terabyte',
      `${OK}content-length: 1099511627776\r\n\r\n`,
      ' '.repeat(KIB_64),
      /^MalformedAnswer$/,
    ],
    ['chunks', `${OK}transfer-encoding: chunked\r\n\r\n`, chunk('&lol;'.repeat(9_000)), /^MalformedAnswer$/],
    [
      'small chunks',
      `${OK}transfer-encoding: chunked\r\n\r\n`,
      chunk('x'.repeat(16)).repeat(2_000),
      /^MalformedAnswer$/,
    ],
    ['headers', OK, 'x-header: value\r\n'.repeat(4_000), /^HPE_HEADER_OVERFLOW$/],
    ['one header', `${OK}x-header: `, 'v'.repeat(KIB_64), /^HPE_HEADER_OVERFLOW$/],
    ['a status line', 'HTTP/1.1 200 ', 'O'.repeat(KIB_64), /^HPE_|^Timeout$/],
    [
      'provisional answers',
      'HTTP/1.1 100 Continue\r\n\r\n',
      'HTTP/1.1 103 Early\r\n\r\n'.repeat(999),
      /^Timeout$/,
    ],
    ['blank lines', '', '\r\n'.repeat(KIB_64), /^Timeout$/],
  ])('%s', async (_name, first, again, code) => {
    respond = () => ({ first: Buffer.from(first), again: Buffer.from(again) });
    const result = await observe(code.test('Timeout') ? 500 : 60_000);
    if (result.ok) throw new Error('it had an end');
    expect(result.failure.code).toMatch(code);
    // It is not read on either. Whatever is under way in the sockets' buffers has been written by then.
    const stopped = await eventually(() => {
      const before = http.written();
      return new Promise<number>((resolve, reject) =>
        setTimeout(() => (http.written() === before ? resolve(before) : reject(new Error('read on'))), 50),
      );
    });
    if (!code.test('Timeout')) expect(stopped).toBeLessThan(64 * 1024 * 1024);
  });

  test('as large as one may be, and nested as deep', async () => {
    const depth = 300_000;
    const close = '</DescribeNetworkInterfacesResponse>';
    for (const inside of [`${'<a>'.repeat(depth)}${'</a>'.repeat(depth)}`, '&#65;'.repeat(400_000)]) {
      respond = () => httpAnswer(200, Buffer.from(root + inside + close));
      const result = await observe(60_000);
      if (result.ok) throw new Error('read as an observation');
      checkFailure(result.failure);
    }
  });
});
