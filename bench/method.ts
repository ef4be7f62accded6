/** The prose of docs/benchmarks.md: what the figures mean, how they come about and what they leave out. */
import type { Results } from './results';

export function introduction({ machine, load }: Results): readonly string[] {
  return [
    '`npm run bench` runs the built daemon as a process of its own against the lab: the simulated router, the EC2',
    'and the metadata emulator of [lab/](../lab), which live in the process of the bench. All is on the loopback.',
    'One clock measures: the monotonic clock of the machine, which every process on it shares.',
    '',
    '- **Event**: right before the simulator writes the first BFD DOWN to the stream. The peer dies, so its sessions,',
    '  one on each of the first two interfaces, go DOWN together.',
    '- **Write**: head and body of an `AssignPrivateIpAddresses` have arrived at the emulator, before it checks them.',
    '- **Between the two**: gRPC, the decision, the question for the state of the local interface (gen1) or the',
    '  20 ms in which news of it may come (gen2, only when a single session is DOWN), building and signing, HTTP.',
    '- **Floor**: the same with the least possible in the place of the daemon, a process that holds the same stream',
    '  and answers the first DOWN with bytes made beforehand over sockets that stand. It is what the bench itself takes,',
    '  and no daemon can be faster. A floor sample is taken with each takeover, so both have seen the same machine.',
    '',
    'Events are at least 1 s apart. The keepalive is 0.5 s there, so that the daemon knows soon that the addresses were',
    'given back behind its back, and events fall into the middle of its interval; where a process takes over once only',
    'and at rest it is the default of 10 s. Between two takeovers the process of the bench waits and does nothing.',
    'Quantiles are nearest-rank: every figure is a sample.',
    '',
    `Machine: ${machine}; load average ${load.toFixed(1)} in the minute before the run.`,
    'The figures are for an idle machine: above a load of 0.3, other processes distort the figures.',
  ];
}

export const notMeasured: readonly string[] = [
  '- Real AWS. The time that EC2 takes for a call, and for the VPC to follow, is by far the largest part of',
  '  a failover; nothing on this page says anything about it. The emulator answers at once unless told to wait.',
  '- TLS to EC2: the emulator speaks plain HTTP here. Connections stand before they are needed, so no handshake',
  '  would fall into the measured time, but the encryption of the request would.',
  '- The detection time of BFD: the clock starts when the router tells the daemon that the session is DOWN.',
  '- A router: there the daemon shares the cores with XR, and gRPC is answered by XR.',
];
