/** The actions on application status checks: parameters in, XML out. */
import { dryRun, missingParameter } from './actionRequest';
import type { ActionRequest, ActionTable, Answer } from './actionRequest';
import {
  checkOf,
  withCheck,
  withoutCheck,
  type ApplicationCheck,
  type CheckResult,
} from './applicationChecks';
import { describePage, tagSet } from './describe';
import { accepted, refused } from './ec2Error';
import type { Ec2Model, Instance } from './model';
import { element, itemSet, listParam } from './queryProtocol';
import type { QueryParams, XmlElement } from './queryProtocol';
import { unknownInstances } from './unknownIds';

export const applicationCheckActions: ActionTable = {
  CreateApplicationStatusCheck: {
    parameters: [
      'Aggregation',
      'Protocol',
      'Port',
      'Path',
      'DeviceIndex',
      'IpVersion',
      'IpScope',
      'Interval',
      'Timeout',
      'FailureThreshold',
      'SuccessThreshold',
      'StatusCodeMatcher',
      'InitializationGracePeriodSeconds',
      'TagSpecification',
      'ClientToken',
      'DryRun',
    ],
    run: create,
  },
  AssociateApplicationStatusCheck: {
    parameters: ['ApplicationStatusCheckId', 'InstanceId', 'ClientToken', 'DryRun'],
    run: associate,
  },
  DeleteApplicationStatusCheck: {
    parameters: ['ApplicationStatusCheckId', 'ClientToken', 'DryRun'],
    run: remove,
  },
  DescribeApplicationStatus: {
    parameters: ['InstanceId', 'Filter', 'MaxResults', 'NextToken', 'DryRun'],
    run: ({ world, params, readAgeMs }) => describe(world.modelAgo(readAgeMs), params, world.clock.dateMs()),
  },
};

function create({ params, world, origin }: ActionRequest): Answer {
  const refusal = missingParameter(params, ['Protocol', 'Port']) ?? invalid(params) ?? dryRun(params);
  if (refusal !== undefined) return refusal;
  const check: ApplicationCheck = {
    applicationStatusCheckId: world.nextId('asc-'),
    // Which of the two it is by default is not documented.
    aggregation: params.get('Aggregation') === 'excluded' ? 'excluded' : 'included',
    protocol: params.get('Protocol') === 'https' ? 'https' : 'http',
    port: Number(params.get('Port')),
    path: params.get('Path') ?? '/',
    deviceIndex: Number(params.get('DeviceIndex') ?? 0),
    results: {},
  };
  const done = world.commit(accepted(withCheck(world.model, check)), origin);
  return done.ok ? accepted([element('applicationStatusCheck', checkXml(check))]) : done;
}

/** The codes are inferred. */
function invalid(params: QueryParams): ReturnType<typeof refused> | undefined {
  const port = Number(params.get('Port'));
  const wrong = [
    ['protocol', ['http', 'https'].includes(params.get('Protocol') ?? '')],
    ['port', Number.isInteger(port) && port >= 1 && port <= 65_535],
    ['interval', (params.get('Interval') ?? '60') === '60'],
    ['aggregation', ['included', 'excluded'].includes(params.get('Aggregation') ?? 'excluded')],
  ].find(([, isValid]) => isValid !== true);
  return wrong === undefined
    ? undefined
    : refused('InvalidParameterValue', `The value of the parameter ${String(wrong[0])} is not valid.`);
}

function associate({ params, world, origin }: ActionRequest): Answer {
  const refusal = missingParameter(params, ['ApplicationStatusCheckId']) ?? dryRun(params);
  if (refusal !== undefined) return refusal;
  const id = params.get('ApplicationStatusCheckId') ?? '';
  const check = checkOf(world.model, id);
  if (check === undefined) return unknownCheck(id);
  const instanceIds = listParam(params, 'InstanceId');
  const missing = instanceIds.filter(
    (each) => !world.model.instances.some(({ instanceId }) => instanceId === each),
  );
  if (missing.length > 0) return unknownInstances(missing);
  const added = Object.fromEntries(instanceIds.map((each) => [each, { status: 'initializing' as const }]));
  const done = world.commit(
    accepted(withCheck(world.model, { ...check, results: { ...added, ...check.results } })),
    origin,
  );
  if (!done.ok) return done;
  return accepted([
    itemSet(
      'successfulResultSet',
      instanceIds.map((each) => [
        element('associationType', 'instance-id'),
        element('associationValue', each),
      ]),
    ),
    itemSet('unsuccessfulResultSet', []),
  ]);
}

function remove({ params, world, origin }: ActionRequest): Answer {
  const refusal = missingParameter(params, ['ApplicationStatusCheckId']) ?? dryRun(params);
  if (refusal !== undefined) return refusal;
  const id = params.get('ApplicationStatusCheckId') ?? '';
  const check = checkOf(world.model, id);
  if (check === undefined) return unknownCheck(id);
  const done = world.commit(accepted(withoutCheck(world.model, id)), origin);
  return done.ok ? accepted([element('applicationStatusCheck', checkXml(check))]) : done;
}

const unknownCheck = (id: string) =>
  refused('InvalidApplicationStatusCheckID.NotFound', `The application status check '${id}' does not exist`);

const checkXml = (check: ApplicationCheck): readonly XmlElement[] => [
  element('applicationStatusCheckId', check.applicationStatusCheckId),
  element('aggregation', check.aggregation),
  element('protocol', check.protocol),
  element('port', check.port),
  element('path', check.path),
  element('deviceIndex', check.deviceIndex),
  element('interval', 60),
];

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeApplicationStatus.html */
function describe(model: Ec2Model, params: QueryParams, dateMs: number): Answer {
  const page = describePage(params, {
    resources: model.instances,
    filters: { status: (instance) => [statusOf(model, instance)] },
    requestedIds: listParam(params, 'InstanceId'),
    idOf: ({ instanceId }) => instanceId,
    unknownIds: unknownInstances,
  });
  if (!page.ok) return page;
  const { resources, nextToken } = page.value;
  return accepted([
    element('applicationStatusesResponseType', [
      itemSet(
        'instanceSet',
        resources.map((instance) => instanceXml(model, instance, dateMs)),
      ),
    ]),
    ...(nextToken === null ? [] : [element('nextToken', nextToken)]),
  ]);
}

const resultsFor = (model: Ec2Model, { instanceId }: Instance) =>
  model.applicationChecks.flatMap((check) => {
    const result = check.results[instanceId];
    return result === undefined ? [] : [{ check, result }];
  });

/** Of the checks that are `included`, as documented. */
function statusOf(model: Ec2Model, instance: Instance): string {
  const included = resultsFor(model, instance)
    .filter(({ check }) => check.aggregation === 'included')
    .map(({ result }) => result.status);
  if (included.length === 0) return 'not-applicable';
  if (included.includes('failed')) return 'impaired';
  return included.find((status) => status !== 'passed') ?? 'ok';
}

function instanceXml(model: Ec2Model, instance: Instance, dateMs: number): readonly XmlElement[] {
  const at = new Date(dateMs).toISOString();
  return [
    element('instanceId', instance.instanceId),
    element('availabilityZone', instance.availabilityZone),
    element('applicationStatus', [
      element('status', statusOf(model, instance)),
      element('statusTimeStamp', at),
      itemSet(
        'detailSet',
        resultsFor(model, instance).map(({ check, result }) => detailXml(check, result, dateMs)),
      ),
    ]),
    tagSet(instance.tags ?? {}),
  ];
}

function detailXml(check: ApplicationCheck, result: CheckResult, dateMs: number): readonly XmlElement[] {
  const saidAt = new Date(dateMs - (result.saidAgoMs ?? 0)).toISOString();
  return [
    element('applicationStatusCheckId', check.applicationStatusCheckId),
    element('checkUpdateTime', saidAt),
    element('aggregation', check.aggregation),
    element('status', result.status),
    element('statusTimeStamp', saidAt),
    element('statusSince', saidAt),
    ...(result.reason === undefined ? [] : [element('reason', [element('code', result.reason)])]),
  ];
}
