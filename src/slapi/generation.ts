/**
 * The first words with a router: the init stream, which has to come first and stay open on routers before
 * 24.4.1, the version that it announces, and which interface generation the router speaks.
 */
import type { InterfaceGeneration } from '../core/state/model';
import { failureInWords } from './channel';
import { inWords, outcomeOf, type ErrorMeaning } from './errors';
import type { Link } from './link';
import { messageIn, uint32In, type Message } from './message';
import { StepFailure, type Loss } from './operations';
import { protos } from './protos';
import { openStream, streamErrorLoss } from './streams';

export type Handshake = {
  /** `0.6.0`; null where the router did not say. */
  readonly version: string | null;
  readonly expected: InterfaceGeneration | null;
};

/** The oldest version whose services are used here; the router's check is not one for equality. */
const ourVersion = { MajorVer: 0, MinorVer: 3, SubVer: 0 };

/** Opens the init stream; `heartbeat` is called for every sign of life on it from then on. */
export function shakeHands(link: Link, timeoutMs: number, heartbeat: () => void): Promise<Handshake> {
  return new Promise((resolve, reject) => {
    const fail = (loss: Loss) => {
      clearTimeout(timer);
      link.lose(loss);
      reject(new StepFailure(loss));
    };
    const timer = setTimeout(
      () => fail({ kind: 'lost', cause: `the router did not greet within ${timeoutMs} ms` }),
      timeoutMs,
    );
    // Whoever closes the attachment meanwhile does not have to wait for this.
    timer.unref();
    const listening: Link = { ...link, lose: fail };
    openStream(listening, protos().init, ourVersion, (message) => {
      switch (message['EventType']) {
        case 'SL_GLOBAL_EVENT_TYPE_VERSION': {
          const outcome = outcomeOf(message['ErrStatus']);
          if (!accepts(outcome)) return fail(refusedLoss(outcome, message));
          clearTimeout(timer);
          return resolve(handshakeOf(link, message));
        }
        case 'SL_GLOBAL_EVENT_TYPE_HEARTBEAT':
          return heartbeat();
        case 'SL_GLOBAL_EVENT_TYPE_ERROR':
          return fail(streamErrorLoss(protos().init, outcomeOf(message['ErrStatus'])));
        default:
          return link.complaints.malformed('a global notification of an unknown type', message);
      }
    });
  });
}

/**
 * The version is a hint: builds of one version differ. The older generation has a getter without side
 * effects that the newer one lacks, so any reply to it is the older one and UNIMPLEMENTED the newer one.
 */
export async function detectGeneration(
  link: Link,
  handshake: Handshake,
  timeoutMs: number,
): Promise<InterfaceGeneration> {
  const reply = await link.channel.unary(protos().gen1.limits, {}, timeoutMs);
  if (!reply.ok && reply.failure.code !== 'UNIMPLEMENTED') {
    const cause = `the router's interface generation could not be found out: ${failureInWords(reply.failure)}`;
    throw new StepFailure({ kind: 'lost', cause });
  }
  const generation = reply.ok ? 'gen1' : 'gen2';
  if (handshake.expected !== null && handshake.expected !== generation) {
    const { version, expected } = handshake;
    const reason = `the router announces version ${version ?? 'unknown'}, which is ${expected}, and speaks ${generation}: going by what it speaks`;
    link.log.warn(
      { event: 'slapi-generation', reason, version, generation },
      'The router speaks another interface generation than its version',
    );
  }
  return generation;
}

function accepts({ name }: ErrorMeaning): boolean {
  return name === 'SL_SUCCESS' || name === 'SL_INIT_STATE_CLEAR' || name === 'SL_INIT_STATE_READY';
}

function refusedLoss(outcome: ErrorMeaning, message: Message): Loss {
  const final = outcome.name === 'SL_UNSUPPORTED_VER' || outcome.name === 'SL_INIT_UNSUPPORTED_VER';
  const theirs = versionOf(message);
  const suffix = theirs === null ? '' : `; the router speaks ${theirs.join('.')}`;
  const cause = `the router refused the handshake: ${inWords(outcome)}${suffix}`;
  return { kind: final ? 'refused' : 'lost', cause };
}

function handshakeOf(link: Link, message: Message): Handshake {
  const version = versionOf(message);
  if (version === null) {
    link.complaints.malformed('a version reply without a version', message);
    return { version: null, expected: null };
  }
  const [major, minor] = version;
  return { version: version.join('.'), expected: major > 0 || minor >= 10 ? 'gen2' : 'gen1' };
}

function versionOf(message: Message): readonly [number, number, number] | null {
  const reply = messageIn(message, 'InitRspMsg');
  const major = uint32In(reply, 'MajorVer');
  const minor = uint32In(reply, 'MinorVer');
  const sub = uint32In(reply, 'SubVer');
  return reply === null || major === null || minor === null || sub === null ? null : [major, minor, sub];
}
