/**
 * What has fired in a run: what never fires is not tested. Faults and moves are counted in every run, the sentences of
 * the rules in one of SAMPLED_EACH runs, because looking for them takes longer than the run itself.
 */
import type { Step } from '../src/core/step';

export const SAMPLED_EACH = 20;

/** How often each thing happened, by name. */
export class Tally {
  readonly counts: { [name: string]: number } = {};

  count(name: string, times = 1): void {
    this.counts[name] = (this.counts[name] ?? 0) + times;
  }

  add(counts: { readonly [name: string]: number }): void {
    for (const [name, times] of Object.entries(counts)) this.count(name, times);
  }

  /** Those whose names begin so, without that beginning. */
  under(prefix: string): readonly (readonly [name: string, times: number])[] {
    return Object.entries(this.counts)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, times]) => [name.slice(prefix.length), times] as const);
  }
}

/** A rule has fired when its sentence was said. */
export const SENTENCES: readonly (readonly [rule: number, what: string, sentence: RegExp])[] = [
  [
    1,
    'a level that was found, not an event, calls for a takeover',
    /^(?!.*went from).*taking over .* (is|are) DOWN/,
  ],
  [1, 'a session is found at another level than the events said', /is found (UP|DOWN|UNKNOWN)/i],
  [2, 'DOWN, but not UP since the targets were lost: stays down', /since this router last held the targets/i],
  [2, 'DOWN, but not UP since the start', /since this daemon started/i],
  [3, 'takes over', /taking over .* (is|are) DOWN and this router is STANDBY/i],
  [3, 'takes the rest over', /taking over .* holds only/i],
  [3, 'ignored: the own interface is DOWN', /its local interface \S+ is DOWN/i],
  [3, 'ignored: the own interface has only just come UP', /has only just come UP/i],
  [3, 'all have to be DOWN, and one is not', /needs every session that can testify/i],
  [4, 'takes over while EC2 does not answer', /taking over .* was STANDBY when EC2 last answered/i],
  [4, 'a DOWN is latched until EC2 says who holds the targets', /to be decided at its first answer/i],
  [4, 'ACTIVE and DOWN: stays', /staying ACTIVE/i],
  [4, 'UNKNOWN: EC2 could not be observed', /now UNKNOWN \(unobserved\)/i],
  [5, 'dropped, because the failure was here', /dropped attempt \d+: nothing had moved/i],
  [5, 'given back', /giving .* back/i],
  [5, 'the peer removed its side: no failure', /the peer has removed its side/i],
  [6, 'tried again', /again \(try/i],
  [6, 'sent on another connection too (hedge)', /on another connection/i],
  [6, 'refused together, moved one by one', /moving them one by one/i],
  [6, 'refused to one of several requests', /to one of several requests/i],
  [6, 'refused for good', /EC2 refuses to move/i],
  [6, 'throttled', /RequestLimitExceeded/i],
  [6, 'the outcome is not known', /the outcome is not known/i],
  [7, 'an attempt is overruled by another owner', /ended attempt/i],
  [7, 'a takeover is resumed by the next life', /resuming the takeover/i],
  [7, 'nothing confirmed for a minute: decided afresh', /nothing has been confirmed for a minute/i],
  [8, 'repairs a partial ownership', /repairing: taking .* the lowest/i],
  [8, 'repairs what no instance holds', /repairing: .* no instance holds/i],
  [8, 'claims what nobody holds', /claiming/i],
  [8, 'loses a claim', /not claimed/i],
  [
    9,
    'takes over upon evidence',
    /taking over .* EC2 says that|taking over .* attached to no instance|taking over .* nobody holds/,
  ],
  [9, 'takes from a holder that runs and does not answer', /taking over .* but its daemon does not answer/],
  [9, 'takes from a holder that runs (opt-in)', /from a holder that runs/i],
  [9, 'stays unprotected: the holder is well', /unprotected: .* EC2 says that/i],
  [9, 'stays unprotected: EC2 does not say', /EC2 does not say how the holder is/i],
  [10, 'held back', /too many takeovers in short order/i],
  [11, 'preempts', /preempting/i],
  [11, 'gives up preempting', /takes them back no more/i],
  [12, 'blocked by an inhibit', /inhibited by an operator/i],
  [12, 'an inhibit ends by itself', /no longer inhibited: the/i],
  [12, 'an inhibit outlives the daemon', /still inhibited/i],
  [13, 'loses its streams', /event streams are lost/i],
  [13, 'loses control to another client', /not in control of/i],
  [13, 'a fresh session gets its time', /may still come UP, /i],
  [14, 'shuts down', /shutting down/i],
  [14, 'stops with a takeover in flight', /took too long/i],
  [15, 'switches over', /switching over .* of the peer/i],
  [15, 'declines to switch over', /no switchover:/i],
  [15, 'a switchover is ordered for later', /^a switchover is ordered for/i],
  [15, 'one that was ordered is due', /ordered for \S+ is due/i],
  [15, 'one that was ordered is missed', /ordered for \S+ was missed/i],
  [15, 'is seen to be done', /EC2 has shown them at the peer for a keepalive/i],
  [15, 'hands over ahead of maintenance', /switching over ahead of /i],
  [15, 'does not give to who has maintenance too', /which begins no later/i],
  [15, 'hands over before its end', /of the peer: this daemon is told to stop/i],
  [15, 'a drill is done', /the drill is done/i],
  [15, 'a drill is stopped', /the drill is stopped/i],
  [15, 'is undone', /the switchover of .* is undone/i],
  [16, 'has stalled', /did not run this daemon/i],
  [16, 'reads all again first', /levels and ownership are read again first/i],
  [16, 'does not count what is DOWN right after it', /since this router has just stalled/i],
  [17, 'starts with what was stored', /starting with the decisions stored/i],
  [17, 'voids what another boot stored', /of another boot/i],
  [18, 'leaves a foreign holder alone', /neither router of this pair/i],
];

export function countSentences(tally: Tally, { reason, weight }: Step): void {
  if (weight === 'routine') return;
  for (const [rule, what, sentence] of SENTENCES)
    if (sentence.test(reason)) tally.count(`rule ${rule}: ${what}`);
}
