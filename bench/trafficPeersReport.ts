/** What people use instead, as tables of docs/real-traffic.md. */
import type { Outage } from '../lab/real-router/failover';
import { highest, median, ms } from './statistics';
import { table } from './table';
import type { AgentRow, PeerRow } from './trafficPeers';

const settings: Readonly<Record<PeerRow['watch'], string>> = {
  VRRP: 'keepalived, VRRP every 50 ms',
  BFD: 'keepalived, its BFD 50 ms x 3 and VRRP every 10 ms',
};

const outagesOf = (row: PeerRow): readonly number[] => row.outages.map(({ outageMs }) => outageMs);

/** To the quicker of its settings. */
export const ratioToKeepalived = (rows: readonly PeerRow[], ours: readonly Outage[]): number =>
  median(ours.map(({ outageMs }) => outageMs)) / Math.min(...rows.map((row) => median(outagesOf(row))));

export function keepalivedTable(rows: readonly PeerRow[], ours: readonly Outage[]): readonly string[] {
  const all = ours.map(({ outageMs }) => outageMs);
  return table(
    ['what', 'failovers', 'outage p50 / worst, ms', 'of it until EC2 is asked, p50, ms', 'packets lost, p50'],
    [
      ...rows.map((row) => [
        `${settings[row.watch]}; \`aws ec2 assign-private-ip-addresses\``,
        String(row.outages.length),
        `${ms(median(outagesOf(row)))} / ${ms(highest(outagesOf(row)))}`,
        ms(median(row.outages.map(({ untilAskedMs }) => untilAskedMs))),
        String(median(row.outages.map(({ lost }) => lost))),
      ]),
      [
        'xr-aws-ha, BFD 50 ms x 3',
        String(ours.length),
        `${ms(median(all))} / ${ms(highest(all))}`,
        ms(median(ours.map(({ detectionMs, daemonMs }) => detectionMs + daemonMs))),
        String(median(ours.map(({ lost }) => lost))),
      ],
    ],
  );
}

export const agentTable = (rows: readonly AgentRow[]): readonly string[] =>
  table(
    ['agent', 'starts', 'moved after p50 / worst, ms', 'done after p50, ms', 'EC2 calls, in order'],
    rows.map(({ agent, starts }) => [
      `\`${agent}\``,
      String(starts.length),
      `${ms(median(starts.map(({ movedMs }) => movedMs)))} / ${ms(highest(starts.map(({ movedMs }) => movedMs)))}`,
      ms(median(starts.map(({ endedMs }) => endedMs))),
      starts[0]?.calls.join(', ') ?? '',
    ]),
  );
