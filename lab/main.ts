/**
 * `npm run lab`: the lab by hand. Starts it with its control API, says what runs where and what can be done,
 * and runs until SIGINT or SIGTERM. Ends what it started, and nothing else.
 */
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { startControl } from './control';
import { mainPath } from './daemonProcess';
import { startCrossAzLab, startLab, type AnyLab } from './topology/topology';
import { MOST_INTERFACES, routerNames } from './topology/plan';
import { labGenerations, type LabGeneration } from './topology/router';
import { targetName, type TargetPlan } from './topology/targets';
import { outliveReaders } from './readers';

const USAGE = `usage: npm run lab -- [--generation ${labGenerations.join('|')}] [--interfaces 1..${MOST_INTERFACES}] [--cross-az] [--control PORT] [--daemons] [--keep-state]

  --generation  interface API of the routers: gen1 up to XR 24.2, gen2 from 24.4.1, mixed: one of each
  --interfaces  target interfaces of each router, each with a floating address (default 2)
  --cross-az    the routers are in two availability zones: routes and an Elastic IP move, no addresses
  --control     port of the control API on 127.0.0.1 (default: any free one)
  --daemons     start the built daemon on both routers, and again on each that is booted
  --keep-state  a router that is booted finds the state and the journals of its daemon as they were
`;

type Wishes = {
  readonly generation: LabGeneration;
  readonly interfaces: number;
  readonly crossAz: boolean;
  readonly port: number;
  readonly daemons: boolean;
  readonly keepState: boolean;
};

/** A string says what is wrong. */
function readWishes(args: readonly string[]): Wishes | string {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        generation: { type: 'string', default: 'gen1' },
        interfaces: { type: 'string', default: '2' },
        'cross-az': { type: 'boolean', default: false },
        control: { type: 'string', default: '0' },
        daemons: { type: 'boolean', default: false },
        'keep-state': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error: unknown) {
    return error instanceof Error ? error.message : String(error);
  }
  if (values.help) return '';
  const generation = labGenerations.find((each) => each === values.generation);
  const interfaces = Number(values.interfaces);
  const port = Number(values.control);
  if (generation === undefined)
    return `--generation is one of ${labGenerations.join(', ')}, not ${values.generation}`;
  if (!Number.isInteger(interfaces) || interfaces < 1 || interfaces > MOST_INTERFACES)
    return `--interfaces is a number from 1 to ${MOST_INTERFACES}, not ${values.interfaces}`;
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    return `--control is a port, not ${values.control}`;
  return {
    generation,
    interfaces,
    crossAz: values['cross-az'],
    port,
    daemons: values.daemons,
    keepState: values['keep-state'],
  };
}

/** Few by name; the others are in `/state`. */
const namesOf = (targets: readonly TargetPlan[]): string =>
  targets.length <= 4 ? targets.map(targetName).join(', ') : `all ${targets.length} targets`;

function describe(lab: AnyLab, controlUrl: string, wishes: Wishes): string {
  const { generation, daemons } = wishes;
  const main = relative(process.cwd(), mainPath);
  const lines = [
    `The lab runs (${generation}); Ctrl-C ends it.`,
    '',
    `EC2       ${lab.ec2.url}`,
    `control   ${controlUrl}`,
  ];
  for (const name of routerNames) {
    const { sim, imdsUrl, instanceId, configPath } = lab.routers[name];
    const daemon = lab.daemon(name);
    lines.push(
      '',
      `${name}      ${instanceId}, ${sim.generation}${lab.ownsAll(name) ? ', has ' + namesOf(lab.plan.targets) : ''}`,
      `  gRPC    ${sim.target}`,
      `  IMDS    ${imdsUrl}`,
      `  config  ${configPath}`,
      daemon === null
        ? `  daemon  AWS_EC2_METADATA_SERVICE_ENDPOINT=${imdsUrl} node ${main} run -c ${configPath}`
        : `  daemon  pid ${daemon.pid}; curl ${controlUrl}/routers/${name}/daemon/log`,
      `  show    node ${main} show ha_state -c ${configPath}`,
    );
  }
  const json = (body: object) => `-d '${JSON.stringify(body)}'`;
  return [
    ...lines,
    '',
    'For example:',
    `  curl ${controlUrl}/                                  what can be asked`,
    `  curl ${controlUrl}/state`,
    `  curl -X POST ${controlUrl}/routers/rtr1/kill`,
    `  curl -X POST ${controlUrl}/routers/rtr1/boot${daemons ? '                    (with its daemon)' : ''}`,
    `  curl -X POST ${controlUrl}/links/cut`,
    `  curl -X POST ${controlUrl}/ec2/faults ${json({ kind: 'latency', ms: 150 })}`,
    `  curl -X POST ${controlUrl}/ec2/faults ${json({ kind: 'throttle', action: 'Assign*', count: 3 })}`,
    ...(wishes.crossAz
      ? [
          `  curl ${controlUrl}/ec2/routes`,
          `  curl -X POST ${controlUrl}/ec2/buckets                 (EC2's throttle)`,
        ]
      : []),
    `  curl ${controlUrl}/ec2/requests`,
    `  node ${main} report ${routerNames.map((name) => `${lab.routers[name].directory}/state`).join(' ')} --html report.html`,
    '',
  ].join('\n');
}

/**
 * Listens from the start, so that an early Ctrl-C is not lost, and for ever: a terminal, npm and tsx may each
 * deliver the same one, and the second must not cut the clean-up short.
 */
const whenAskedToEnd = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
  });

async function main(): Promise<number> {
  const wishes = readWishes(process.argv.slice(2));
  if (typeof wishes === 'string') {
    const { stream, code } =
      wishes === '' ? { stream: process.stdout, code: 0 } : { stream: process.stderr, code: 2 };
    stream.write(wishes === '' ? USAGE : `lab: ${wishes}\n\n${USAGE}`);
    return code;
  }
  const asked = whenAskedToEnd();
  const { generation, interfaces, keepState } = wishes;
  const lab = wishes.crossAz
    ? await startCrossAzLab({ generation, keepState })
    : await startLab({ generation, interfaces, keepState });
  try {
    const control = await startControl(lab, { port: wishes.port, startDaemons: wishes.daemons });
    try {
      if (wishes.daemons) for (const name of routerNames) lab.startDaemon(name);
      process.stdout.write(describe(lab, control.url, wishes));
      await asked;
      await Promise.all(routerNames.map(async (name) => lab.daemon(name)?.stop()));
    } finally {
      await control.stop();
    }
  } finally {
    await lab.stop();
  }
  return 0;
}

outliveReaders();
main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`lab: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
