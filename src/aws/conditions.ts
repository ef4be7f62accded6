/** What a failover needs of AWS beside the readings: credentials, permissions, tokens, and a clock that is right. */
import type { Condition, ConditionNow } from '../cloud';
import type { CloudClock } from '../core/state/readings';
import { list } from '../core/state/turn';
import { failing, ok, unknown, type Judgement } from '../wellness';
import type { AwsStanding } from './standing';

type Moment = {
  /** Milliseconds since 1970. */
  readonly wallNow: number;
  /** Monotonic milliseconds. */
  readonly now: number;
};

/** Null: the configuration has nothing that it could be about. */
type Entry = Condition & { readonly check: (standing: AwsStanding, moment: Moment) => Judgement | null };

/** They are renewed a quarter of an hour before their end; with less, they have not been. */
const CREDENTIALS_LEFT_MS_MIN = 300_000;
/** EC2 refuses what was signed five minutes off its own time. */
export const CLOCK_OFFSET_MS_MAX = 240_000;

/** In the order in which they are shown. */
export const AWS_CONDITIONS: { readonly [condition: string]: Entry } = {
  ec2_credentials: {
    asks: 'Are there credentials of the role, and will they last?',
    whatToDo: "See the instance's IAM role and the metadata service (IMDS).",
    check: ({ credentials }, { wallNow }) => {
      const { reading, expiresAt, problem } = credentials;
      const ageMs = reading.lastOkS === null ? null : reading.lastOkS * 1000;
      if (expiresAt === null)
        return failing(`there are no credentials: ${problem ?? 'IMDS has not answered yet'}`, ageMs);
      const leftMs = Date.parse(expiresAt) - wallNow;
      const left = `they last until ${expiresAt}`;
      if (leftMs <= 0) return failing('the credentials have expired', ageMs);
      if (leftMs < CREDENTIALS_LEFT_MS_MIN) return failing(`the credentials are not renewed: ${left}`, ageMs);
      if (problem !== null) return unknown(`the credentials are not renewed (${problem}): ${left}`, ageMs);
      return ok(`there are credentials: ${left}`, ageMs);
    },
  },
  permissions: {
    asks: 'May the role do what a takeover needs, as far as EC2 says it ahead?',
    whatToDo: 'xr-aws-ha iam-policy prints what the role needs; check-config --online asks again.',
    check: ({ permissions }) => {
      if (permissions === null) return unknown('EC2 has not been asked yet', null);
      const of = (verdict: string) =>
        list(
          permissions
            .filter((each) => each.verdict === verdict)
            .map(({ action, on }) => `${action} on ${on}`),
        );
      if (of('denied') !== '') return failing(`EC2 would deny ${of('denied')}`);
      if (of('unknown') !== '') return unknown(`EC2 does not say whether it permits ${of('unknown')}`);
      if (permissions.length === 0)
        return unknown('EC2 tells of none of the calls ahead whether it permits them');
      return ok(`EC2 permits ${of('permitted')}`);
    },
  },
  source_dest_check: {
    asks: 'Can the interfaces forward?',
    whatToDo: 'Switch the source/destination check off, or set source_dest_check to "disable".',
    check: ({ sourceDestCheckOn }) =>
      sourceDestCheckOn.length === 0
        ? ok('no source/destination check is in the way')
        : failing(`the source/destination check is on: ${list(sourceDestCheckOn)}`),
  },
  endpoint_addresses: {
    asks: 'Does every address of the endpoint answer?',
    whatToDo: 'See the network interfaces of the VPC endpoint in the zones of those that do not.',
    check: ({ endpointAddresses: all }) => {
      const silent = all.filter(({ answers }) => !answers).map(({ address }) => address);
      if (all.length === 0) return unknown('no address of the endpoint is known yet', null);
      if (silent.length === 0) return ok(`${list(all.map(({ address }) => address))} of the endpoint answer`);
      const words = `${list(silent)} of the endpoint left a request without an answer`;
      return silent.length < all.length ? unknown(`${words}; others are asked first`) : failing(words);
    },
  },
  application_status_check: {
    asks: 'Would EC2 say that the daemon of a router that runs does not answer?',
    whatToDo:
      'See the check in EC2: its port and path (/livez), the security group, and its association with both instances.',
    check: ({ applicationCheck }) => applicationCheck,
  },
  api_tokens: {
    asks: 'Has EC2 tokens for the calls of a takeover?',
    whatToDo:
      'See who else in the account makes these calls, or have the limits raised; it recovers by itself.',
    check: ({ slowed }) =>
      slowed.length === 0 ? ok('EC2 throttles nothing') : failing(`EC2 has throttled ${list(slowed)} lately`),
  },
  clock: {
    asks: "Is this router's clock near that of EC2?",
    whatToDo: 'Set the clock of the router (NTP): EC2 refuses what is signed five minutes off.',
    check: ({ clock }, { wallNow, now }) => {
      if (clock === null) return unknown('EC2 has not said what time it is', null);
      const offsetMs = clockOffsetMs(clock, { wallNow, now });
      const text = clockWords(offsetMs);
      const ageMs = now - clock.receivedAt;
      return Math.abs(offsetMs) < CLOCK_OFFSET_MS_MAX ? ok(text, ageMs) : failing(text, ageMs);
    },
  },
};

export function conditionsNow(standing: AwsStanding, moment: Moment): readonly ConditionNow[] {
  return Object.entries(AWS_CONDITIONS).flatMap(([condition, { check, whatToDo }]) => {
    const judgement = check(standing, moment);
    return judgement === null ? [] : [{ condition, whatToDo, ...judgement }];
  });
}

export function clockWords(offsetMs: number): string {
  const s = Math.round(Math.abs(offsetMs) / 1000);
  return `this router's clock is ${s} s ${offsetMs < 0 ? 'behind' : 'ahead of'} that of EC2`;
}

/** How far this router's clock is ahead of EC2's, in milliseconds; exact to a second, in which EC2 tells the time. */
export function clockOffsetMs({ dateMs, sentAt, receivedAt }: CloudClock, { wallNow, now }: Moment): number {
  const saidAtWall = wallNow - (now - (sentAt + receivedAt) / 2);
  return saidAtWall - (dateMs + 500);
}
