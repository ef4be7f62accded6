/**
 * fast-check as the tests use it. `npm test` draws the same cases each time, so that a change is judged by what
 * it changes. A campaign draws new ones: `FUZZ_RUNS=20 npx jest test/fuzz`, or `FUZZ_SEED=123` for one seed. A
 * failure prints its seed and path, which repeat it when they are given to `fc.assert`.
 */
import { configureGlobal } from 'fast-check';

const asked = process.env['FUZZ_SEED'];
const campaign = process.env['FUZZ_RUNS'] !== undefined;
if (asked !== undefined && !Number.isInteger(Number(asked))) throw new Error('FUZZ_SEED is to be an integer');
if (asked !== undefined || !campaign) configureGlobal({ seed: Number(asked ?? 1) });

export { default } from 'fast-check';
