/**
 * The services of AWS that the lab has behind one address. A request says by its `Version` which one it is for; each has
 * its actions, its wording of refusals, and its own XML: EC2 the one protocol, the others the query protocol.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html
 */
import type { ActionTable } from './actionRequest';
import { actionNames, runAction as runEc2Action } from './actions';
import type { ActionRequest, Answer } from './actionRequest';
import { refused, statusOf } from './ec2Error';
import type { Ec2Error } from './ec2Error';
import { element, render, renderAnswer, renderError } from './queryProtocol';
import type { QueryParams, XmlElement } from './queryProtocol';

export interface AwsService {
  /** As it stands in the scope of a signature. */
  readonly signingName: string;
  readonly apiVersion: string;
  readonly actionNames: readonly string[];
  readonly run: (request: ActionRequest) => Answer;
  readonly renderAnswer: (action: string, content: readonly XmlElement[], requestId: string) => string;
  readonly renderError: (error: Ec2Error, requestId: string) => string;
  readonly statusOf: (code: string) => number;
  /** What it says to whom it throttles. */
  readonly throttled: Ec2Error;
}

export const ec2Service: AwsService = {
  signingName: 'ec2',
  apiVersion: '2016-11-15',
  actionNames,
  run: runEc2Action,
  renderAnswer: (action, content, requestId) =>
    renderAnswer(action, [element('requestId', requestId), ...content]),
  renderError,
  statusOf,
  throttled: { code: 'RequestLimitExceeded', message: 'Request limit exceeded.' },
};

export interface QueryServiceOptions {
  readonly signingName: string;
  readonly apiVersion: string;
  readonly actions: ActionTable;
  /** Statuses of codes that have another than 400. */
  readonly statuses?: Readonly<Record<string, number>>;
}

const COMMON_STATUSES: Readonly<Record<string, number>> = {
  AccessDenied: 403,
  ExpiredToken: 403,
  SignatureDoesNotMatch: 403,
  InvalidClientTokenId: 403,
  InternalFailure: 500,
  ServiceUnavailable: 503,
};

/** A service of the query protocol: an answer has its result within, and its request id at the end. */
export function queryService(options: QueryServiceOptions): AwsService {
  const { signingName, apiVersion, actions, statuses = {} } = options;
  const xmlNamespace = `http://${signingName}.amazonaws.com/doc/${apiVersion}/`;
  return {
    signingName,
    apiVersion,
    actionNames: Object.keys(actions),
    run: (request) => runQueryAction(actions, request),
    renderAnswer: (action, content, requestId) =>
      wrap(`${action}Response`, xmlNamespace, [
        element(`${action}Result`, content),
        element('ResponseMetadata', [element('RequestId', requestId)]),
      ]),
    renderError: (error, requestId) => {
      const { code, message } = inItsWords(error);
      const type = (statuses[code] ?? COMMON_STATUSES[code] ?? 400) >= 500 ? 'Receiver' : 'Sender';
      const content = [element('Type', type), element('Code', code), element('Message', message)];
      return wrap('ErrorResponse', xmlNamespace, [
        element('Error', content),
        element('RequestId', requestId),
      ]);
    },
    statusOf: (code) => {
      const own = inItsWords({ code, message: '' }).code;
      return statuses[own] ?? COMMON_STATUSES[own] ?? 400;
    },
    throttled: { code: 'Throttling', message: 'Rate exceeded' },
  };
}

/** The same table with the same strictness as EC2's, in the words of the query protocol. */
function runQueryAction(actions: ActionTable, request: ActionRequest): Answer {
  const action = Object.hasOwn(actions, request.action) ? actions[request.action] : undefined;
  if (action === undefined)
    return refused('InvalidAction', `Could not find operation ${request.action} for version`);
  const known = new Set(['Action', 'Version', ...action.parameters]);
  const unknown = [...request.params.keys()].find((name) => !known.has(name.split('.')[0] ?? ''));
  if (unknown !== undefined) return refused('ValidationError', `The parameter ${unknown} is not recognized`);
  return action.run(request);
}

/** What the signature check says in EC2's words. */
const QUERY_CODES: Readonly<Record<string, string>> = {
  AuthFailure: 'SignatureDoesNotMatch',
  RequestExpired: 'ExpiredToken',
  UnauthorizedOperation: 'AccessDenied',
};

const inItsWords = ({ code, message }: Ec2Error): Ec2Error => ({ code: QUERY_CODES[code] ?? code, message });

const wrap = (name: string, xmlNamespace: string, content: readonly XmlElement[]): string =>
  `<${name} xmlns="${xmlNamespace}">${content.map(render).join('')}</${name}>`;

/** Null: the request names a version of none. */
export const serviceOf = (services: readonly AwsService[], params: QueryParams): AwsService | null =>
  services.find(({ apiVersion }) => apiVersion === params.get('Version')) ?? null;

/** A list as the query protocol writes it: `<name><member>...</member>...</name>`. */
export const memberList = (name: string, members: readonly (readonly XmlElement[])[]): XmlElement =>
  element(
    name,
    members.map((content) => element('member', content)),
  );

/** The same of texts. */
export const textList = (name: string, texts: readonly string[]): XmlElement =>
  element(
    name,
    texts.map((text) => element('member', text)),
  );
