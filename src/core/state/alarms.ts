/**
 * Alarms: what a person has to look at, from when on until it is over. They are raised where a rule finds them
 * (`raiseAlarm` in turn.ts) and end in one place (rules/alarms.ts). Nothing is decided from them. Severities and
 * what to do stand in src/alarms.ts.
 */

export type AlarmCode =
  /** Another client has taken the router's event streams: a failure of the peer would not be seen. */
  | 'control-lost'
  /** The cloud refuses to move a target and will go on refusing. */
  | 'takeover-refused'
  /** No request of a takeover has succeeded for some seconds. */
  | 'takeover-stuck'
  /** A target that this router moved is seen with another owner. */
  | 'target-lost'
  /** The interface of every triggering session went DOWN right after the first write. */
  | 'local-failure-suspected'
  /** Targets that were to go back to the peer did not. */
  | 'give-back-failed'
  /** The cloud has not been observed for `role_ttl_s`: the role is UNKNOWN. */
  | 'cloud-unobserved'
  /** No session is UP and the cloud shows no reason to take over: a failure of the peer would not be seen. */
  | 'unprotected'
  /** This router has all targets and no session is UP: nobody is there to take them over from it. */
  | 'redundancy-lost'
  /** A rule calls for a move, and an operator's inhibit or another client in control forbids it. */
  | 'takeover-blocked'
  /** Targets have come to this router, by nothing that it did, while an operator's inhibit holds. */
  | 'arrived-while-inhibited'
  /** The cloud has announced maintenance of a router of the pair. */
  | 'maintenance-ahead'
  /** A switchover that nobody waits for was not carried out. */
  | 'switchover-missed'
  /** Too many takeovers in short order: the next one has to wait. */
  | 'takeover-damped'
  /** Somebody took the targets from this preferred router: it no longer takes them back by itself. */
  | 'preempt-conflict'
  /** An instance that is neither router of the pair holds a target. */
  | 'foreign-holder';

export type Alarm = {
  readonly code: AlarmCode;
  /** Ids of the targets that it concerns; empty where it concerns the whole group. */
  readonly about: readonly string[];
  /** The sentence with which it was last raised. */
  readonly text: string;
  /** When it was raised, and when it was last found to be so: monotonic milliseconds. */
  readonly since: number;
  readonly lastAt: number;
};

/** By key: the code, and what tells alarms of the same code from each other. */
export type Alarms = { readonly [key: string]: Alarm };

/** As the decision memory has it; a newer version may have written a code that this one does not know. */
export type StoredAlarm = {
  readonly key: string;
  readonly code: string;
  readonly about: readonly string[];
  readonly text: string;
  readonly since: number;
};

/** More at a time are told of and not kept: they are one trouble. */
export const ALARMS_MAX = 32;

/** `kind`: tells alarms of one code from each other. */
export function alarmKey(code: AlarmCode, kind: string): string {
  return kind === '' ? code : `${code} ${kind}`;
}

export function isKeyOf(code: AlarmCode, key: string): boolean {
  return key === code || key.startsWith(`${code} `);
}

/** In the order in which they were raised. */
export function alarmsOf({ alarms }: { readonly alarms: Alarms }, code: AlarmCode): readonly Alarm[] {
  return Object.values(alarms).filter((alarm) => alarm.code === code);
}

export function hasAlarm(state: { readonly alarms: Alarms }, code: AlarmCode): boolean {
  return alarmsOf(state, code).length > 0;
}
