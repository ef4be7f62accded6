// The simulator's interface service in both generations.
import { lab, registered, ten0, ten1, until, type RawClient } from './slapiClient';

const { router, client } = lab();
const unknown = 'TenGigE0/0/0/9';

describe('gen1', () => {
  const register = (one: RawClient) => one.call('SLInterfaceGlobalsRegOp', { Oper: 'SL_REGOP_REGISTER' });
  const enable = (one: RawClient, ...names: string[]) =>
    one.call('SLInterfaceNotifOp', { Oper: 'SL_NOTIFOP_ENABLE', Entries: names.map((Name) => ({ Name })) });

  async function ready(options: Parameters<typeof router>[0] = {}) {
    const sim = await router(options);
    const one = client(sim);
    await registered(one);
    await register(one);
    const stream = one.open('SLInterfaceGetNotifStream');
    await until('the stream', () => sim.state().clients.interface);
    return { sim, one, stream };
  }
  const event = (name: string, state: 'UP' | 'DOWN', seqNum: number) => ({
    EventType: 'SL_INTERFACE_EVENT_TYPE_INTERFACE_INFO',
    Info: {
      SLIfInfo: { Name: name },
      IfState: `SL_IF_STATE_${state}`,
      ...(seqNum > 0 && { SeqNum: seqNum }),
    },
  });

  test('needs a registration', async () => {
    const sim = await router();
    const one = client(sim);
    await registered(one);
    const refused = { Status: 'SL_RPC_INTF_API_CLIENT_NOT_REGISTERED' };
    expect(await one.call('SLInterfaceGlobalsGet')).toEqual({ ErrStatus: refused });
    expect(await enable(one, ten0)).toEqual({ StatusSummary: refused });
    expect(await one.call('SLInterfaceGet', { EntriesCount: 1 })).toMatchObject({ ErrStatus: refused });
    await register(one);
    expect(await one.call('SLInterfaceGlobalsGet')).toEqual({ ErrStatus: {}, MaxInterfacesPerBatch: 128 });
  });

  test('reports the present state when enabled, then changes of enabled interfaces only', async () => {
    const { sim, one, stream } = await ready();
    expect(await enable(one, ten0)).toEqual({ StatusSummary: {} });
    sim.setInterface(ten1, 'down');
    sim.setInterface(ten0, 'down');
    sim.setInterface(ten0, 'up');
    await until('three events', () => stream.messages.length === 3);
    expect(stream.messages).toEqual([event(ten0, 'UP', 0), event(ten0, 'DOWN', 2), event(ten0, 'UP', 3)]);
  });

  test('or not the present state', async () => {
    const { sim, one, stream } = await ready({ sendStateOnEnable: false });
    await enable(one, ten0);
    sim.setInterface(ten0, 'down');
    await until('an event', () => stream.messages.length === 1);
    expect(stream.messages).toEqual([event(ten0, 'DOWN', 1)]);
  });

  test('has a result for each interface', async () => {
    const { sim, one } = await ready();
    await enable(one, ten0);
    const reply = await enable(one, ten0, unknown, '', 'x'.repeat(65), ten1);
    expect(reply).toMatchObject({
      StatusSummary: { Status: 'SL_SOME_ERR' },
      Results: [
        { ErrStatus: { Status: 'SL_INTF_INTERFACE_EXISTS' }, Key: { Name: ten0 } },
        { ErrStatus: { Status: 'SL_INTF_INTERFACE_NOT_FOUND' }, Key: { Name: unknown } },
        { ErrStatus: { Status: 'SL_INTF_INTERFACE_NAME_MISSING' } },
        { ErrStatus: { Status: 'SL_INTF_INTERFACE_NAME_TOOLONG' } },
        { ErrStatus: {}, Key: { Name: ten1 } },
      ],
    });
    expect(sim.state().interfaces.map((each) => each.subscribed)).toEqual([true, true]);
  });

  test('refuses a batch that is too big', async () => {
    const { one } = await ready({ maxInterfacesPerBatch: 1 });
    expect(await enable(one, ten0, ten1)).toEqual({
      StatusSummary: { Status: 'SL_RPC_INTF_TOO_MANY_INTERFACES' },
    });
  });

  test('the getter answers for enabled interfaces only', async () => {
    const { sim, one } = await ready();
    const get = (name: string) => one.call('SLInterfaceGet', { Key: { Name: name }, EntriesCount: 1 });
    const missing = { ErrStatus: { Status: 'SL_INTF_INTERFACE_NOT_FOUND' } };
    expect(await get(ten0)).toMatchObject(missing);
    await enable(one, ten0, ten1);
    sim.setInterface(ten0, 'down');
    expect(await get(ten0)).toMatchObject({
      ErrStatus: {},
      Entries: [{ SLIfInfo: { Name: ten0 }, IfState: 'SL_IF_STATE_DOWN', SeqNum: 1 }],
    });
    expect(await get(unknown)).toMatchObject(missing);
    const all = await one.call('SLInterfaceGet', { EntriesCount: 9 });
    expect(all).toMatchObject({ Eof: true, Entries: [{ SLIfInfo: { Name: ten0 } }, {}] });
    const next = await one.call('SLInterfaceGet', { Key: { Name: ten0 }, GetNext: true, EntriesCount: 1 });
    expect(next).toEqual({
      ErrStatus: {},
      Entries: [{ SLIfInfo: { Name: ten1 }, IfState: 'SL_IF_STATE_UP' }],
    });
  });

  test('REGISTER and EOF sweep, DISABLE and UNREGISTER switch off', async () => {
    const { sim, one } = await ready();
    const subscribed = () => sim.state().interfaces.map((each) => each.subscribed);
    await enable(one, ten0, ten1);
    await register(one);
    expect(await enable(one, ten1)).toEqual({ StatusSummary: {} });
    await one.call('SLInterfaceGlobalsRegOp', { Oper: 'SL_REGOP_EOF' });
    expect(subscribed()).toEqual([false, true]);
    await enable(one, ten0);
    await one.call('SLInterfaceNotifOp', { Oper: 'SL_NOTIFOP_DISABLE', Entries: [{ Name: ten1 }] });
    expect(subscribed()).toEqual([true, false]);
    await one.call('SLInterfaceGlobalsRegOp', { Oper: 'SL_REGOP_UNREGISTER' });
    expect(subscribed()).toEqual([false, false]);
  });

  test('the last to open the stream has it', async () => {
    const { sim, stream } = await ready();
    const thief = client(sim).open('SLInterfaceGetNotifStream');
    await until('the loss', () => stream.status() !== null);
    expect(stream.messages).toEqual([
      { EventType: 'SL_INTERFACE_EVENT_TYPE_ERROR', ErrStatus: { Status: 'SL_NOTIF_TERM' } },
    ]);
    expect(thief.status()).toBeNull();
  });
});

describe('gen2', () => {
  type Entry = { OperationId?: number; Interface: object; States?: string[]; Regex?: boolean };
  const both = ['SL_IF_STATE_DOWN', 'SL_IF_STATE_UP'];

  async function ready(options: Parameters<typeof router>[0] = {}) {
    const sim = await router({ generation: 'gen2', ...options });
    const stream = client(sim).open('SLInterfaceNotifStream');
    const send = (Oper: 'ENABLE' | 'DISABLE', ...Entries: Entry[]) =>
      stream.write({ Oper: `SL_NOTIFOP_${Oper}`, Entries });
    return { sim, stream, send };
  }
  const seen = (messages: readonly object[]) =>
    messages.map((message) => {
      const { Info } = message as { Info?: { SLIfInfo: { Name: string }; IfState: string } };
      return Info === undefined
        ? 'error'
        : `${Info.SLIfInfo.Name} ${Info.IfState.replace('SL_IF_STATE_', '')}`;
    });

  test('reports the present state, then changes', async () => {
    const { sim, stream, send } = await ready();
    send('ENABLE', { Interface: { Name: ten0 }, States: both });
    await until('the state', () => stream.messages.length === 1);
    expect(stream.messages).toEqual([
      {
        Info: {
          SLIfInfo: { Name: ten0 },
          IfState: 'SL_IF_STATE_UP',
          Timestamp: expect.any(Number) as number,
        },
      },
    ]);
    sim.setInterface(ten1, 'down');
    sim.setInterface(ten0, 'down');
    await until('the change', () => stream.messages.length === 2);
    expect(seen(stream.messages)).toEqual([`${ten0} UP`, `${ten0} DOWN`]);
  });

  test('or changes only', async () => {
    const { sim, stream, send } = await ready({ sendStateOnEnable: false });
    send('ENABLE', { Interface: { Name: ten0 }, States: both });
    await until('the subscription', () => sim.state().interfaces[0]!.subscribed);
    sim.setInterface(ten0, 'down');
    await until('the change', () => stream.messages.length === 1);
    expect(seen(stream.messages)).toEqual([`${ten0} DOWN`]);
  });

  test('reports the states asked for', async () => {
    const { sim, stream, send } = await ready();
    send('ENABLE', { Interface: { Name: ten0 }, States: ['SL_IF_STATE_DOWN'] });
    await until('the subscription', () => sim.state().interfaces[0]!.subscribed);
    for (const state of ['down', 'up', 'down'] as const) sim.setInterface(ten0, state);
    await until('two changes', () => stream.messages.length === 2);
    expect(seen(stream.messages)).toEqual([`${ten0} DOWN`, `${ten0} DOWN`]);
  });

  test('takes regular expressions', async () => {
    const { stream, send } = await ready();
    send('ENABLE', { Interface: { Name: 'TenGigE0/0/0/.*' }, Regex: true, States: both });
    await until('both', () => stream.messages.length === 2);
    expect(seen(stream.messages)).toEqual([`${ten0} UP`, `${ten1} UP`]);
  });

  test('answers each bad entry with its operation id', async () => {
    const { stream, send } = await ready();
    send(
      'ENABLE',
      { OperationId: 1, Interface: { Name: unknown } },
      { OperationId: 2, Interface: { Handle: 1 } },
      { OperationId: 3, Interface: { Name: '' } },
      { OperationId: 4, Interface: { Name: ten0 } },
      { OperationId: 5, Interface: { Name: '(' }, Regex: true },
    );
    await until('state and errors', () => stream.messages.length === 2);
    expect(seen(stream.messages)).toEqual([`${ten0} UP`, 'error']);
    expect(stream.messages[1]).toMatchObject({
      Error: {
        Details: [
          { OperationId: 1, ErrStatus: { Status: 'SL_INTF_INTERFACE_NOT_FOUND' }, Key: { Name: unknown } },
          { OperationId: 2, ErrStatus: { Status: 'SL_EINVAL' } },
          { OperationId: 3, ErrStatus: { Status: 'SL_INTF_INTERFACE_NAME_MISSING' } },
          { OperationId: 5, ErrStatus: { Status: 'SL_EINVAL' } },
        ],
      },
    });
  });

  test('DISABLE ends a subscription, and so does the end of the stream', async () => {
    const { sim, stream, send } = await ready();
    const subscribed = () =>
      sim
        .state()
        .interfaces.filter((each) => each.subscribed)
        .map((each) => each.name);
    send('ENABLE', { Interface: { Name: ten0 } }, { Interface: { Name: ten1 } });
    await until('both', () => subscribed().length === 2);
    send('DISABLE', { Interface: { Name: ten0 } });
    await until('one', () => subscribed().length === 1, subscribed);
    expect(subscribed()).toEqual([ten1]);
    stream.end();
    await until('none', () => subscribed().length === 0);
    await until('the end', () => stream.status() !== null);
    expect(stream.status()?.code).toBe(0);
  });

  test('the last to open the stream has it', async () => {
    const { sim, stream } = await ready();
    await until('the stream', () => sim.state().clients.interface);
    const thief = client(sim).open('SLInterfaceNotifStream');
    await until('the loss', () => stream.status() !== null);
    expect(stream.messages).toEqual([
      { Error: { Details: [expect.objectContaining({ ErrStatus: { Status: 'SL_NOTIF_TERM' } })] } },
    ]);
    expect(thief.status()).toBeNull();
  });
});
