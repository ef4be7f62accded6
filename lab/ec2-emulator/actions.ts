/**
 * The table of actions: for each the parameters it knows, and what it does. Reading actions see the model
 * they are handed; writing ones always work on the present.
 */
import type { ActionRequest, ActionTable, Answer } from './actionRequest';
import { addressActions } from './addressActions';
import { applicationCheckActions } from './applicationCheckActions';
import { describeActions } from './describeActions';
import { refused } from './ec2Error';
import { elasticIpActions } from './elasticIpActions';
import { instanceActions } from './instanceActions';
import { instanceTypeActions } from './instanceTypeActions';
import { routeActions } from './routeActions';
import { volumeActions } from './volumeActions';

const ACTIONS: ActionTable = {
  ...describeActions,
  ...addressActions,
  ...routeActions,
  ...elasticIpActions,
  ...instanceTypeActions,
  ...instanceActions,
  ...volumeActions,
  ...applicationCheckActions,
};

export const actionNames: readonly string[] = Object.keys(ACTIONS);

export const isAction = (name: string): boolean => Object.hasOwn(ACTIONS, name);

export function runAction(request: ActionRequest): Answer {
  const action = isAction(request.action) ? ACTIONS[request.action] : undefined;
  if (action === undefined) {
    return refused('InvalidAction', `The action ${request.action} is not valid for this web service.`);
  }
  const known = new Set(['Action', 'Version', ...action.parameters]);
  const unknown = [...request.params.keys()].find((name) => !known.has(name.split('.')[0] ?? ''));
  if (unknown !== undefined) {
    return refused('UnknownParameter', `The parameter ${unknown} is not recognized`);
  }
  return action.run(request);
}
