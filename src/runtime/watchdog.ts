/**
 * Ends this process when its event loop is stuck, so that it is started anew: a stuck loop cannot do that
 * itself. A shell does it, as a child that needs nothing but POSIX: a worker thread costs 6 to 10 MiB here,
 * this one next to nothing. It counts its own checks in which no sign of life came, so that a pause of
 * machine, container or daemon, which is no fault, does not look like one.
 *
 * A process that is the first of its container (pid 1) cannot be ended from within: the container needs an
 * init (`docker run --init`), and a daemon without one says so at its start.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Logger } from 'pino';
import { Backoff } from '../backoff';
import { Wellness, type Reading } from '../wellness';

export type WatchdogOptions = {
  readonly log: Logger;
  /** Where the last line goes, besides standard output. */
  readonly logFile: string;
  /** How often the shell looks, and at how many looks without a sign of life it acts. */
  readonly check?: { readonly everyS: number; readonly misses: number };
  readonly random?: () => number;
};

/** The loop may be stuck for 9 to 12 s. */
const defaultCheck = { everyS: 3, misses: 4 };
const shell = '/bin/sh';
const respawn = { firstMs: 1_000, lastMs: 60_000 };
/** A watchdog that lives this long has begun well. */
const stableMs = 60_000;

/**
 * Parameters: pid of the daemon, seconds, misses, log file, and what stands in the last line before and after
 * the time and after the state of the process.
 * SIGURG is the sign of life: harmless where it comes before the trap is set. The start time of a process
 * (field 22 of /proc/PID/stat, proc(5)) tells it from a later one with the same pid, and `T` is a stopped one.
 * A file that hangs must not keep the daemon from being ended, so whoever writes to it is not waited for.
 */
const script = `
daemon=$1 every=$2 limit=$3 file=$4 before=$5 between=$6 after=$7
look() {
  read -r line 2>/dev/null <"/proc/$daemon/stat" || exit 0
  set -- \${line##*) }
  state=$1 since=\${20}
}
look
begun=$since misses=0 alive=0
trap 'alive=1' URG
while [ "$misses" -lt "$limit" ]; do
  sleep "$every" || exit 1
  look
  [ "$since" = "$begun" ] && [ "$state" != Z ] || exit 0
  case $alive$state in
    0[!Tt]) misses=$((misses + 1)) ;;
    *) misses=0 ;;
  esac
  alive=0
done
line=$before$(date -u +%Y-%m-%dT%H:%M:%S.000Z)$between$state$after
(printf '%s\\n' "$line" >>"$file") 2>/dev/null &
(printf '%s\\n' "$line" >>"/proc/$daemon/fd/1") 2>/dev/null &
sleep 1
kill -KILL "$daemon"
`;

export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #backoff: Backoff;
  readonly #wellness = new Wellness();
  #child: ChildProcess | null = null;
  #startedAt = 0;
  #timer: NodeJS.Timeout | null = null;
  #missing = false;
  #stopped = false;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#backoff = new Backoff({ ...respawn, random: options.random });
    if (process.pid !== 1) return;
    options.log.warn(
      { event: 'no-init', reason: 'pid 1 of a container cannot be ended from within: start it with an init' },
      'This daemon could not be ended if it got stuck',
    );
  }

  /** The loop is alive. The first call starts the watch, so that the start of the daemon may take its time. */
  beat(): void {
    if (this.#stopped || this.#timer !== null) return;
    if (this.#child === null) this.#spawn();
    else if (this.#child.kill('SIGURG')) this.#noteWatched();
  }

  health(): Reading {
    return this.#wellness.reading();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      // With its sleep: the shell leads the group.
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has just ended by itself.
    }
  }

  #spawn(): void {
    const { logFile, check: { everyS, misses } = defaultCheck } = this.#options;
    const [before, between, after] = lastLine(everyS, misses);
    const args = [process.pid, everyS, misses, logFile, before, between, after].map(String);
    // A session of its own: what interrupts the daemon's terminal must not end the watch.
    const child = spawn(shell, ['-c', script, 'xr-aws-ha-watchdog', ...args], {
      cwd: '/',
      stdio: 'ignore',
      detached: true,
    });
    child.unref();
    this.#child = child;
    this.#startedAt = performance.now();
    child.on('error', ({ message }) => this.#ended(child, message));
    child.on('exit', (code, signal) => this.#ended(child, `it ended with ${signal ?? code ?? 'nothing'}`));
  }

  #ended(child: ChildProcess, cause: string): void {
    if (this.#stopped || this.#child !== child) return;
    this.#child = null;
    this.#wellness.failed();
    this.#timer = setTimeout(() => (this.#timer = null), this.#backoff.nextMs());
    this.#timer.unref();
    if (this.#missing) return;
    this.#missing = true;
    this.#options.log.warn(
      { event: 'watchdog-missing', cause },
      'Nothing would end this daemon if it got stuck; the watchdog is started again',
    );
  }

  #noteWatched(): void {
    this.#wellness.ok();
    if (performance.now() - this.#startedAt < stableMs) return;
    this.#backoff.reset();
    if (!this.#missing) return;
    this.#missing = false;
    const reason = 'the watchdog runs again';
    this.#options.log.info({ event: 'watchdog-present', reason }, 'This daemon is watched again');
  }
}

/** A log record as all others; its texts need no quoting in JSON. */
function lastLine(everyS: number, misses: number): readonly [string, string, string] {
  const reason = `the event loop was stuck at ${misses} looks in a row, ${everyS} s apart`;
  return [
    '{"level":"fatal","time":"',
    `","event":"loop-stalled","pid":${process.pid},"reason":"${reason}","processState":"`,
    '","msg":"The daemon is ended because it is stuck"}',
  ];
}
