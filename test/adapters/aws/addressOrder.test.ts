// Which address of the endpoint comes first, by what has been answered from where.
import { AddressOrder } from '../../../src/transport/addressOrder';

const all = ['a', 'b', 'c'].map((address) => ({ address }));

type Told = readonly ['answered', string, number] | readonly ['unanswered', string, number, number];

function sortedAfter(told: readonly Told[], avoid: readonly string[] = []): string {
  const order = new AddressOrder();
  for (const each of told) {
    if (each[0] === 'answered') order.answered(each[1], each[2]);
    else order.unanswered(each[1], each[2], each[3]);
  }
  return order
    .sorted(all, new Set(avoid))
    .map(({ address }) => address)
    .join('');
}

test.each<[string, readonly Told[], string]>([
  ['nothing is known', [], 'abc'],
  ['one left a request without an answer', [['unanswered', 'a', 0, 10]], 'bca'],
  [
    'one answers again',
    [
      ['unanswered', 'a', 0, 10],
      ['answered', 'a', 20],
    ],
    'abc',
  ],
  [
    'one action is slow, and another one was answered meanwhile',
    [
      ['answered', 'a', 5],
      ['unanswered', 'a', 0, 10],
    ],
    'abc',
  ],
  [
    'its last answer was before the request',
    [
      ['answered', 'a', 5],
      ['unanswered', 'a', 6, 10],
    ],
    'bca',
  ],
  [
    'all are silent: the turn goes round',
    [
      ['unanswered', 'b', 0, 10],
      ['unanswered', 'a', 10, 20],
      ['unanswered', 'c', 20, 30],
    ],
    'bac',
  ],
  [
    'all are silent, and each has had its turn again',
    [
      ['unanswered', 'a', 0, 10],
      ['unanswered', 'b', 10, 20],
      ['unanswered', 'c', 20, 30],
      ['unanswered', 'a', 30, 40],
    ],
    'bca',
  ],
])('%s', (_what, told, expected) => expect(sortedAfter(told)).toBe(expected));

test.each<[string, readonly Told[], readonly string[], string]>([
  ['goes elsewhere than the same request under way', [], ['a'], 'bca'],
  ['before an address in doubt there', [['unanswered', 'b', 0, 10]], ['a'], 'cba'],
])('a hedge %s', (_what, told, avoid, expected) => expect(sortedAfter(told, avoid)).toBe(expected));

test('only a change is news', () => {
  const order = new AddressOrder();
  expect(order.answered('a', 0)).toBe(false);
  expect([order.unanswered('a', 1, 2), order.unanswered('a', 1, 3)]).toEqual([true, false]);
  expect([order.answered('a', 4), order.answered('a', 5)]).toEqual([true, false]);
});
