'use strict';
// Loaded into a process with `node --require`: its wall clock is off by as many milliseconds as the file named
// in LAB_WALL_CLOCK_FILE says at that moment. Monotonic clocks and timers are left alone, as when an operator or
// NTP steps the clock of a machine.
const { readFileSync } = require('node:fs');

const RealDate = Date;
const now = () => RealDate.now() + Number(readFileSync(process.env.LAB_WALL_CLOCK_FILE, 'utf8'));

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  apply: () => new RealDate(now()).toString(),
  get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
});
