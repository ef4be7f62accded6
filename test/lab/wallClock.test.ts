// A process whose wall clock is stepped while it runs, and whose other clocks are not.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WallClock } from '../../lab/wallClock';

const HOUR_MS = 3_600_000;
/** Answers each line with what its clocks say. */
const program = `
  process.stdin.on('data', () => {
    const clocks = [Date.now(), new Date().getTime(), Date.parse(Date()), performance.now()];
    const others = [new Date(5).getTime(), new Date() instanceof Date, Date.UTC(1970, 0, 1, 1)];
    console.log(JSON.stringify({ clocks, others }));
  });
`;

test('steps the wall clock of a running process, forth and back', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'xr-aws-ha-clock-'));
  const clock = new WallClock(directory);
  const child = spawn(process.execPath, ['-e', program], {
    env: { ...process.env, ...clock.env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const lines = createInterface({ input: child.stdout });
    for (const offsetMs of [0, HOUR_MS, -HOUR_MS, 0]) {
      clock.setOffset(offsetMs);
      const asked = Date.now();
      child.stdin.write('\n');
      const [line] = (await once(lines, 'line')) as [string];
      const { clocks, others } = JSON.parse(line) as { clocks: number[]; others: unknown[] };
      const monotonic = clocks.pop();
      for (const shown of clocks) {
        // The text form of a date has whole seconds.
        expect(shown - offsetMs).toBeGreaterThan(asked - 1000);
        expect(shown - offsetMs).toBeLessThanOrEqual(Date.now());
      }
      expect(monotonic).toBeLessThan(HOUR_MS / 2);
      expect(others).toEqual([5, true, HOUR_MS]);
    }
  } finally {
    const closed = once(child, 'close');
    child.kill();
    await closed;
    rmSync(directory, { recursive: true });
  }
});
