/** What a failover needs of OpenStack beside the readings: a token that lasts. */
import type { Condition, ConditionNow } from '../../cloud';
import { failing, ok, unknown, type Judgement } from '../../wellness';
import type { Tokens } from '../transport/tokens';

type Entry = Condition & { readonly check: (tokens: Tokens, now: number) => Judgement };

/** In the order in which they are shown. */
export const OPENSTACK_CONDITIONS: { readonly [condition: string]: Entry } = {
  keystone_token: {
    asks: 'Is there a token that Neutron takes, and will it last?',
    whatToDo:
      'See whether Keystone answers from the container, and whether cloud.credentials_file is good: check-config --online.',
    check: (tokens, now) => {
      const token = tokens.current();
      const problem = tokens.problem();
      const { lastOkS } = tokens.health();
      const ageMs = lastOkS === null ? null : lastOkS * 1000;
      if (token === null)
        return failing(`there is no token: ${problem ?? 'Keystone has not answered yet'}`, ageMs);
      const leftS = Math.round((token.expiresAt - now) / 1000);
      if (leftS <= 0) return failing('the token has ended', ageMs);
      const lasts = `it lasts ${leftS} s`;
      if (problem !== null) return unknown(`the token is not renewed (${problem}): ${lasts}`, ageMs);
      return ok(`there is a token that Neutron takes: ${lasts}`, ageMs);
    },
  },
};

/** `now`: monotonic ms. */
export const conditionsOf = (tokens: Tokens, now: number): readonly ConditionNow[] =>
  Object.entries(OPENSTACK_CONDITIONS).map(([condition, { check, whatToDo }]) => ({
    condition,
    whatToDo,
    ...check(tokens, now),
  }));
