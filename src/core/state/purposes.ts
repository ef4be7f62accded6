/**
 * What tells the purposes of a move from each other. A move is begun, sent, tried again and ended in the same way whatever
 * it is for; all that is different stands here, one row a purpose, and nothing else asks for a purpose by its name.
 */
import type { Purpose, Timeline } from './model';

type Differences = {
  /** While it is under way, and when it is done: `taking over: ...`, `took over 10.0.0.1`. */
  readonly doing: string;
  readonly done: string;
  /** Its name for people: a takeover is one whatever has shown that the peer is gone. */
  readonly called: string;
  /**
   * BFD says that the peer is gone (rule 3). Such a move waits for no pace and takes what it finds; its clock starts when
   * the peer went DOWN; it counts for damping; and the failure may turn out to be here (rule 5).
   */
  readonly byBfd: boolean;
  /** Without it the targets are not served. */
  readonly isUrgent: boolean;
  /** A later run of the daemon must not leave it half done. Repairs and claims are found anew, and more carefully, by rule 8. */
  readonly isResumed: boolean;
  /** It may take from a holder that runs, which is allowed once (rule 9). */
  readonly mayTakeFromRunning: boolean;
  /** The cloud decides between both routers: the lowest target is asked for first, and to lose it is no failure (rule 8). */
  readonly isContest: boolean;
  /** It takes the targets back from a peer that is well (rule 11), which is how a drill ends. */
  readonly takesBack: boolean;
  /** An operator waits for the answer (rule 15). */
  readonly isOrdered: boolean;
  /** It is the second half of something that has moved. */
  readonly undoes: boolean;
  /** The targets go to the peer; what giving up says that it has given up. Null where they come here. */
  readonly handsOver: ((targets: string) => string) | null;
};

/** To this router, because of what the cloud shows. */
const PATIENT = {
  byBfd: false,
  isUrgent: false,
  isResumed: false,
  mayTakeFromRunning: false,
  isContest: false,
  takesBack: false,
  isOrdered: false,
  undoes: false,
  handsOver: null,
} as const;

const PURPOSES: { readonly [P in Purpose]: Differences } = {
  takeover: {
    ...PATIENT,
    doing: 'taking over',
    done: 'took over',
    called: 'takeover',
    byBfd: true,
    isUrgent: true,
    isResumed: true,
  },
  evidence: {
    ...PATIENT,
    doing: 'taking over',
    done: 'took over',
    called: 'takeover',
    isUrgent: true,
    isResumed: true,
    mayTakeFromRunning: true,
  },
  repair: { ...PATIENT, doing: 'repairing', done: 'repaired', called: 'repair' },
  claim: {
    ...PATIENT,
    doing: 'claiming',
    done: 'claimed',
    called: 'claim',
    isUrgent: true,
    isContest: true,
  },
  preemption: {
    ...PATIENT,
    doing: 'preempting',
    done: 'preempted',
    called: 'preemption',
    isResumed: true,
    takesBack: true,
  },
  switchover: {
    ...PATIENT,
    doing: 'switching over',
    done: 'switched over',
    called: 'switchover',
    isOrdered: true,
    handsOver: (targets) => `switching ${targets} over`,
  },
  giveBack: {
    ...PATIENT,
    doing: 'giving back',
    done: 'gave back',
    called: 'give-back',
    undoes: true,
    handsOver: (targets) => `giving ${targets} back`,
  },
};

/** Of an attempt, of a rule's verdict, of a timeline. */
export const purposeOf = ({ purpose }: { readonly purpose: Purpose }): Differences => PURPOSES[purpose];

/** Whether its time is counted from when the peer went DOWN; otherwise it is from the decision. */
export function isTimedFromDown(move: Pick<Timeline, 'purpose' | 'resumed' | 'lastUp'>): boolean {
  return purposeOf(move).byBfd && move.lastUp === null && !move.resumed;
}
