/**
 * Generates the reference of the configuration, config/schema.json and config/README.md, from src/config/schema.ts and
 * src/config/rules.ts, that of heal.json from src/heal/config, in deploy/README.md what an update replaces, and in
 * docs/operations.md every alarm.
 * `--check` writes nothing and exits 1 when a file is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { fieldNotes, type FieldNotes } from '../src/config/fields';
import { outline } from '../src/config/outline';
import { rules } from '../src/config/rules';
import { documentSchema } from '../src/config/schema';
import { healRules } from '../src/heal/config/rules';
import { healDocumentSchema } from '../src/heal/config/schema';
import { statusSchema } from '../src/status/schema';
import { alarmTables, openstackTables } from './alarmTables';
import { alertsFile } from './alertRules';
import { mibText } from './mib';
import { dashboardFile } from './dashboard';
import { replacementTables } from './deployUpdates';

type Generated = { readonly path: string; readonly text: string };

const folder = join(__dirname, '..', 'config');
const deployReadme = join(__dirname, '..', 'deploy', 'README.md');
const operations = join(__dirname, '..', 'docs', 'operations.md');

export function generated(): readonly Generated[] {
  return [
    { path: join(folder, 'schema.json'), text: jsonSchema(documentSchema) },
    { path: join(folder, 'README.md'), text: readme() },
    { path: join(folder, 'heal', 'schema.json'), text: jsonSchema(healDocumentSchema) },
    { path: join(folder, 'heal', 'README.md'), text: healReference() },
    {
      path: deployReadme,
      text: withTables(readFileSync(deployReadme, 'utf8'), 'tables', replacementTables()),
    },
    { path: join(__dirname, '..', 'docs', 'status.schema.json'), text: plainSchema(statusSchema) },
    { path: join(__dirname, '..', 'deploy', 'monitoring', 'alerts.yml'), text: alertsFile() },
    { path: join(__dirname, '..', 'deploy', 'monitoring', 'dashboard.json'), text: dashboardFile() },
    {
      path: join(__dirname, '..', 'deploy', 'monitoring', 'XR-AWS-HA-MIB.txt'),
      text: mibText(),
    },
    { path: operations, text: alarmPage(readFileSync(operations, 'utf8')) },
  ];
}

const alarmPage = (page: string): string =>
  withTables(withTables(page, 'alarms', alarmTables()), 'alarms of OpenStack', openstackTables());

/** The rest of the page is written by hand. */
function withTables(page: string, name: string, made: string): string {
  const [before = '', rest = ''] = page.split(new RegExp(`(?<=<!-- ${name}: .*-->\\n)`));
  const after = rest.slice(rest.indexOf(`<!-- end of ${name} -->`));
  return `${before}\n${made}\n${after}`;
}

/** Of what the daemon writes, and not people. */
function plainSchema(schema: z.ZodType): string {
  return `${JSON.stringify(z.toJSONSchema(schema, { target: 'draft-7' }), null, 2)}\n`;
}

/** Draft 7, which editors know. */
function jsonSchema(schema: z.ZodType): string {
  const written = z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    metadata: fieldNotes,
    override: ({ zodSchema, jsonSchema: json }) => {
      for (const own of ['noun', 'unit', 'atLeast', 'atMost', 'dropIn']) delete json[own];
      const { unit } = outline(zodSchema).notes;
      if (json.description !== undefined && unit !== undefined && !json.description.endsWith(`(${unit})`)) {
        json.description += ` (${unit})`;
      }
      if (zodSchema instanceof z.ZodDefault) json.default = zodSchema.def.defaultValue;
      if (json.type === 'object') json.patternProperties = { '^(_|//)': {} };
      if (json.type === 'integer' || json.type === 'number') {
        // Limits bind numbers and the pattern strings, so both forms fit in one schema. Its typing has one type.
        Object.assign(json, { type: [json.type, 'string'], pattern: '^-?\\d+(\\.\\d+)?$' });
      }
    },
  });
  return `${JSON.stringify(written, null, 2)}\n`;
}

type Table = { readonly title: string; readonly notes: FieldNotes; readonly rows: readonly Row[] };
type Row = { readonly key: string; readonly dropIn: boolean; readonly cells: readonly string[] };

/** One table for each object of the document, parents before children. */
function tables(schema: z.core.$ZodType, title: string): readonly Table[] {
  const node = outline(schema);
  switch (node.kind) {
    case 'object': {
      const rows = [...node.members].map(([key, member]) => row(key, member));
      const below = [...node.members].flatMap(([key, member]) =>
        tables(member, title === '' ? key : `${title}.${key}`),
      );
      return [{ title, notes: node.notes, rows }, ...below];
    }
    case 'list':
      return tables(node.entry, `${title}[]`);
    case 'value':
      return [];
  }
}

function row(key: string, schema: z.core.$ZodType): Row {
  const { kind, notes } = outline(schema);
  const json = z.toJSONSchema(schema, { io: 'input', metadata: fieldNotes });
  return {
    key,
    dropIn: notes.dropIn === true,
    cells: [
      `\`${key}\``,
      kind === 'value' ? typeWord(json, notes) : kind,
      defaultWord(schema),
      kind === 'value' ? rangeWord(json, notes) : '',
      notes.unit ?? '',
      notes.description ?? '',
    ],
  };
}

function typeWord(json: z.core.JSONSchema.BaseSchema, notes: FieldNotes): string {
  if (json.enum !== undefined) return json.enum.map((word) => `\`"${String(word)}"\``).join(' or ');
  if (json.type === 'integer') return 'whole number';
  return json.type === 'number' ? 'number' : (notes.noun ?? 'text');
}

function defaultWord(schema: z.core.$ZodType): string {
  if (schema instanceof z.ZodDefault) return `\`${JSON.stringify(schema.def.defaultValue)}\``;
  return schema instanceof z.ZodOptional ? 'none' : '**mandatory**';
}

function rangeWord(json: z.core.JSONSchema.BaseSchema, notes: FieldNotes): string {
  if (json.minimum === undefined || json.maximum === undefined) return '';
  const sensible = [
    ...(notes.atLeast === undefined ? [] : [`at least ${notes.atLeast.limit}`]),
    ...(notes.atMost === undefined ? [] : [`at most ${notes.atMost.limit}`]),
  ].join(', ');
  const range = `${json.minimum} to ${json.maximum}`;
  return sensible === '' ? range : `${range}; sensible: ${sensible}`;
}

function rendered(rows: readonly Row[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const header = ['key', 'type', 'default', 'range', 'unit', 'meaning'];
  return [line(header), line(header.map(() => '---')), ...rows.map(({ cells }) => line(cells))].join('\n');
}

function section({ title, notes, rows }: Table): string {
  const heading = `## \`${title}\`\n\n${notes.description ?? ''}`;
  const [old, added] = [rows.filter(({ dropIn }) => dropIn), rows.filter(({ dropIn }) => !dropIn)];
  if (old.length === 0 || added.length === 0) return `${heading}\n\n${rendered(rows)}`;
  return [
    heading,
    '### Keys shared with xrv9k-aws-ha',
    rendered(old),
    '### Keys of xr-aws-ha only',
    rendered(added),
  ].join('\n\n');
}

type Rules = readonly { readonly severity: 'mistake' | 'warning'; readonly sentence: string }[];

const ruleList = (all: Rules, severity: Rules[number]['severity']): string =>
  all
    .filter((rule) => rule.severity === severity)
    .map((rule) => `- ${rule.sentence}`)
    .join('\n');

const sectionsOf = (schema: z.core.$ZodType): string =>
  tables(schema, '')
    .filter(({ title }) => title !== '')
    .map(section)
    .join('\n\n');

function readme(): string {
  const example = readFileSync(join(folder, 'examples', 'secondary-ip-rtr1.json'), 'utf8').trimEnd();
  return `<!-- Generated by \`npx tsx scripts/docs.ts\` from src/config; edits here are lost. -->

# Configuration

One JSON file per router. The daemon reads it once, when it starts, from the place named with \`-c\`, else from
\`/app/onbox/config.json\`. Check a file before it goes to a router:

    node dist/main.js check-config -c FILE

prints the configuration in effect, defaults included, then warnings, then \`OK\`. A file with mistakes ends it,
and the daemon's start, with exit code 2 and every mistake named: its place, what is wrong and what to do.

    node dist/main.js check-config RTR1.json RTR2.json

checks each of the two, and both as a pair; it names the place in each file, all mistakes at once, with exit code 2:

- targets or groups that are in one of them only, or in different groups;
- BFD sessions that do not meet: without a counterpart in the other file, both naming the same neighbour, with other
  intervals or multipliers at the two ends, or watching for a group on one router only;
- both routers preferred (for the same group);
- other times or choices on the two (\`keepalive_s\`, \`role_ttl_s\`, \`staleness_s\`, \`trigger\`, \`reestablish_s\`,
  \`reestablish_after_interface_s\`, \`armed_ttl_s\`, \`partial_hold_s\`, \`evidence_hold_s\`,
  \`take_from_running_after_s\`, \`damping_half_life_s\`, \`own_stall_hold_s\`, \`foreign_holder\`).

Device indexes, names of interfaces, priorities, and how each reaches AWS and its own router may differ.

A complete file ([examples/secondary-ip-rtr1.json](examples/secondary-ip-rtr1.json); its pair for the other router
is [examples/secondary-ip-rtr2.json](examples/secondary-ip-rtr2.json)):

\`\`\`json
${example}
\`\`\`

Where BFD has to cross the VPC's router, [docs/bfd.md](../docs/bfd.md) says what can be done:
[examples/multi-hop-rtr1.json](examples/multi-hop-rtr1.json) and
[examples/gre-tunnel-rtr1.json](examples/gre-tunnel-rtr1.json), with their pairs, are unproven on XRv9000.

## The file

- Everything stands inside the object \`config\`. Beside it only \`$schema\` may stand, with which editors find
  [schema.json](schema.json) and then complete and check keys while one writes.
- Numbers may be written as texts too: \`57777\` or \`"57777"\`.
- A key that is not known is a mistake, so that a slip does not pass for a setting. Keys that start with \`_\` or
  \`//\` are notes and never read. A key written twice is a mistake.
- A value outside its *range* is a mistake. A value outside its *sensible* range is a warning: the daemon starts, and
  says in its log what the price is.

${sectionsOf(documentSchema)}

## Rules across keys

A file that breaks one of these is refused:

${ruleList(rules, 'mistake')}

A file that departs from one of these is accepted, with a warning:

${ruleList(rules, 'warning')}

## Coming from xrv9k-aws-ha

- Its files load unchanged: the same keys with the same names, the same three of them mandatory
  (\`bfd_sessions\`, \`ec2_private_endpoint_url\`, \`action\`), the same place in the container.
- \`global_retry_interval\` is the longest pause between two attempts, and \`global_retry_count\` is when an alarm is
  raised; the daemon never gives up.
- Its method \`secondary_ip_shift\` is one of three here: \`route_table_shift\` and \`elastic_ip_shift\` move routes and
  Elastic IPs.
- Mount the directory of the file into the container rather than the file itself: a mount of a single file goes on
  showing the old content after the file has been replaced, until the container is made anew.
`;
}

function healReference(): string {
  const example = readFileSync(join(folder, 'heal', 'nat.json'), 'utf8').trimEnd();
  return `<!-- Generated by \`npx tsx scripts/docs.ts\` from src/heal/config; edits here are lost. -->

# heal.json

What the healer keeps whole, and how; what it does with it stands in [docs/healing.md](../../docs/healing.md). One file for
all identities of a VPC. See what it would do, and whether the file is right:

    node dist/main.js heal -c heal.json --plan

A file with mistakes ends every command with exit code 2 and every mistake named: its place, what is wrong and what to do.

A complete file ([nat.json](nat.json); others are a
[pair of routers](pair.json) and a [network function](network-function.json)):

\`\`\`json
${example}
\`\`\`

- Everything stands inside the object \`heal\`. Beside it only \`$schema\` may stand, with which editors find
  [schema.json](schema.json).
- Numbers may be written as texts too. A key that is not known is a mistake; keys that start with \`_\` or \`//\` are
  notes. A key written twice is a mistake. A value outside its *range* is a mistake.

${sectionsOf(healDocumentSchema)}

## Rules across keys

A file that breaks one of these is refused:

${ruleList(healRules, 'mistake')}

A file that departs from one of these is accepted, with a warning:

${ruleList(healRules, 'warning')}
`;
}

function main(args: readonly string[]): number {
  let stale = 0;
  for (const { path, text } of generated()) {
    if (!args.includes('--check')) {
      writeFileSync(path, text);
    } else if (readFileSync(path, 'utf8') !== text) {
      process.stderr.write(`${path} is stale; run: npx tsx scripts/docs.ts\n`);
      stale++;
    }
  }
  return stale === 0 ? 0 : 1;
}

if (require.main === module) process.exitCode = main(process.argv.slice(2));
