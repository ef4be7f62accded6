'use strict';
// Loaded into a process with `node --require`: the name in LAB_ENDPOINT_NAME has the addresses that the file in
// LAB_ENDPOINT_FILE lists at that moment, and none where it lists none. The minute between two questions of the
// daemon, a little less by jitter, becomes a fifth of a second; nothing else of it waits that long.
const dns = require('node:dns');
const { readFileSync } = require('node:fs');

const [lookup, setTimeout] = [dns.lookup, globalThis.setTimeout];

dns.lookup = (name, options, callback) => {
  if (name !== process.env.LAB_ENDPOINT_NAME) return lookup(name, options, callback);
  const addresses = JSON.parse(readFileSync(process.env.LAB_ENDPOINT_FILE, 'utf8'));
  const missing = Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' });
  process.nextTick(() => {
    if (addresses.length === 0) callback(missing);
    else
      callback(
        null,
        addresses.map((address) => ({ address, family: 4 })),
      );
  });
};

globalThis.setTimeout = (callback, ms, ...rest) =>
  setTimeout(callback, ms >= 54_000 && ms < 60_000 ? 200 : ms, ...rest);
