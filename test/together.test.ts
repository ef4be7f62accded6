import { together } from '../src/together';

const later = <Value>(value: Value) => new Promise<Value>((resolve) => setImmediate(() => resolve(value)));
const fails = (words: string, isLate: boolean) =>
  (isLate ? later(0) : Promise.resolve(0)).then(() => Promise.reject(new Error(words)));

test('gives the results in the order of the questions, whichever comes first', async () => {
  expect(await together([later('first'), 'second', null])).toEqual(['first', 'second', null]);
});

test.each([true, false])(
  'says every failure in the order of the questions (the first one late: %s)',
  async (isLate) => {
    const asked = together([fails('no certificate', isLate), later('found'), fails('no key', !isLate)]);
    await expect(asked).rejects.toThrow(/^no certificate; no key$/);
  },
);

test('one failure keeps its words and is the cause', async () => {
  const failure = new Error('no key');
  await expect(together([later(1), Promise.reject(failure)])).rejects.toMatchObject({
    message: 'no key',
    cause: failure,
  });
});
