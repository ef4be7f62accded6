/**
 * Who may import what: the table of src/README.md, as lint checks it (eslint.config.mjs). A room is a folder of src, or a
 * file that stands in it; it may always import what is in itself.
 */
import { dirname, join, relative } from 'node:path';

/**
 * `values`: what may be imported whole; `types`: what may be named, and does not run. Both are prefixes of paths in src.
 * The pure cores have rules of their own. What is not here (daemon.ts, main.ts) may import anything.
 */
export const ROOMS = {
  transport: { values: ['backoff', 'wellness'], types: ['core'] },
  config: { values: ['aws/description', 'openstack/description'], types: ['core'] },
  runtime: { values: ['core', 'backoff', 'wellness'], types: ['cloud', 'config'] },
  slapi: {
    values: ['config/ipv4', 'config/ipv6', 'core/pause', 'together', 'wellness'],
    types: ['core', 'config'],
  },
  aws: {
    values: [
      'config/destinations',
      'config/ipv4',
      'config/ipv6',
      'config/kinds',
      'core/kinds',
      'core/levels',
      'core/moves/grouping',
      'core/moves/preview',
      'core/state/turn',
      'transport',
      'backoff',
      'deadline',
      'wellness',
    ],
    types: ['cloud', 'core', 'config'],
  },
  openstack: {
    values: ['config/ipv4', 'config/kinds', 'transport', 'backoff', 'deadline', 'wellness'],
    types: ['core', 'config', 'cloud'],
  },
  store: { values: ['config/words', 'backoff', 'wellness'], types: ['core', 'config'] },
  telemetry: { values: ['backoff'], types: ['config'] },
  control: { values: ['config', 'backoff'], types: ['core'] },
  status: {
    values: [
      'control/httpServer',
      'control/listener',
      'core/levels/sessions',
      'core/state/purposes',
      'core/state/state',
      'history/entry',
      'runtime/alarmTable',
      'runtime/groupsView',
      'runtime/moveOutcome',
      'runtime/plannedView',
      'runtime/transitions',
      'together',
      'transport/callStatistics',
    ],
    types: ['config', 'control', 'core', 'notify', 'runtime', 'store'],
  },
  history: {
    values: [
      'config/document',
      'core/rules/inhibit',
      'core/state/purposes',
      'runtime/moveOutcome',
      'runtime/transitions',
      'store/backgroundFile',
      'store/smallFile',
    ],
    types: ['config', 'core', 'runtime'],
  },
  notify: {
    values: [
      'aws/transport',
      'config/document',
      'history/entry',
      'store/backgroundFile',
      'store/smallFile',
      'transport/words',
      'backoff',
      'together',
    ],
    types: ['config', 'history'],
  },
  peer: {
    values: ['config/document', 'runtime/readiness', 'together', 'transport/words'],
    types: ['cloud', 'config', 'core'],
  },
  report: { values: ['config/words', 'core/state/purposes', 'runtime/replay'], types: ['core', 'runtime'] },
  cli: {
    values: [
      'config',
      'aws',
      'openstack',
      'control/client',
      'control/commands',
      'core/moves/preview',
      'history',
      'notify',
      'report',
      'runtime/replay',
      'store',
    ],
    types: ['core', 'runtime'],
  },
  heal: { values: ['config', 'aws/transport', 'aws/reads', 'transport'], types: ['core'] },
  backoff: { values: ['core/pause'], types: [] },
  cloud: { values: [], types: ['core', 'transport/callStatistics', 'wellness'] },
  deadline: { values: [], types: [] },
  together: { values: [], types: [] },
  wellness: { values: [], types: [] },
};

const isBelow = (path, prefix) => path === prefix || path.startsWith(`${prefix}/`);

/** What is wrong with an import; null for nothing. `file` and `src` are absolute. */
export function wrongImport(src, file, specifier, isType) {
  if (!specifier.startsWith('.')) return null;
  const own = relative(src, file).replace(/\.ts$/, '').split('/')[0];
  const path = relative(src, join(dirname(file), specifier));
  const room = ROOMS[own];
  if (room === undefined || path.startsWith('..') || isBelow(path, own)) return null;
  const allowed = isType ? [...room.values, ...room.types] : room.values;
  if (allowed.some((prefix) => isBelow(path, prefix))) return null;
  const how = room.types.some((prefix) => isBelow(path, prefix)) ? 'types of ' : '';
  return `${own} imports ${how === '' ? 'nothing of' : 'only types of'} ${path}: see the table of src/README.md`;
}

/** As a rule of ESLint. */
export const roomsRule = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    const src = join(context.cwd, 'src');
    const check = (node) => {
      if (node.source === null || node.source === undefined) return;
      const kind = node.importKind ?? node.exportKind;
      const names = node.specifiers ?? [];
      const isType =
        kind === 'type' || (names.length > 0 && names.every((each) => each.importKind === 'type'));
      const message = wrongImport(src, context.filename, node.source.value, isType);
      if (message !== null) context.report({ node, message });
    };
    return { ImportDeclaration: check, ExportNamedDeclaration: check, ExportAllDeclaration: check };
  },
};
