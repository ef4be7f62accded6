'use strict';
// Loaded into a process with `node --require`: the kernel says LAB_BOOT_ID when it is asked which boot this is, as it would
// say another one after a power loss. The monotonic clock goes on: this machine has not been off.
const fs = require('node:fs');

const { readFileSync } = fs;

fs.readFileSync = (path, ...rest) =>
  path === '/proc/sys/kernel/random/boot_id' ? `${process.env.LAB_BOOT_ID}\n` : readFileSync(path, ...rest);
