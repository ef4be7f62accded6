/** Which answers are believed: a revision only rises, unless the database has been put back. */
import { Known } from '../../../src/openstack/reads/known';

const router = (revision: number, id = 'r1') => ({ id, routes: [], revision_number: revision });

test('an older answer is not believed, until that has lasted', () => {
  let at = 0;
  const known = new Known(() => at);
  expect(known.takeRouter(router(7))).toBe(true);
  expect(known.takeRouter(router(7))).toBe(true);
  expect(known.takeRouter(router(3))).toBe(false);
  at = 29_999;
  expect(known.takeRouter(router(3))).toBe(false);
  expect(known.routers.get('r1')?.revision_number).toBe(7);
  at = 30_000;
  expect(known.takeRouter(router(3))).toBe(true);
  expect(known.routers.get('r1')?.revision_number).toBe(3);
});

test('one good answer in between begins it anew, and each is judged for itself', () => {
  let at = 0;
  const known = new Known(() => at);
  known.takeRouter(router(7));
  expect(known.takeRouter(router(3))).toBe(false);
  at = 20_000;
  expect(known.takeRouter(router(8))).toBe(true);
  at = 40_000;
  expect(known.takeRouter(router(3))).toBe(false);
  expect(known.takeRouter(router(1, 'r2'))).toBe(true);
});
