/**
 * What the healer says and does, as an operator reads it: one healing of each example, from the loss to the end, in seconds
 * of virtual time. HEAL_STORIES=rewrite writes the files anew: read them before they are committed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { firewall, nat, pair, type ExampleName } from '../../lab/heal/regions';
import type { Stage } from '../../lab/heal/stage';
import { healed, lose, whole } from './healSupport';

const LOST: Readonly<Record<ExampleName, readonly [group: string, instanceId: string]>> = {
  pair: ['rtr2', pair.instanceId.rtr2],
  nat: ['nat', nat.instanceId],
  'network-function': ['fw1', firewall.instanceId],
};

test.each(['pair', 'nat', 'network-function'] as const)('%s', async (example) => {
  const stage = await whole(example);
  const [group, instanceId] = LOST[example];
  const lostAtMs = stage.clock.dateMs();
  lose(stage, instanceId);
  await healed(stage, group, instanceId);
  const story = storyOf(stage, lostAtMs);
  const path = join(__dirname, 'healStories', `${example}.txt`);
  if (process.env['HEAL_STORIES'] === 'rewrite') writeFileSync(path, story);
  expect(story).toBe(readFileSync(path, 'utf8'));
});

/** Calls of one moment are sent side by side, so they have no order among them. */
function storyOf(stage: Stage, lostAtMs: number): string {
  const said = stage.lambda.records.flatMap(({ time, event, identity, action, msg }) => {
    const at = Date.parse(String(time)) - lostAtMs;
    if (at < 0 || (event !== 'decision' && event !== 'step')) return [];
    const seconds = (at / 1000).toFixed(1).padStart(6);
    return [event === 'step' ? `${seconds}    -> ${action}` : `${seconds}  ${identity}: ${msg}`];
  });
  const told = stage.topics.published.map(({ subject }) => `        told: ${subject}`);
  const blocks = said.reduce<string[][]>((all, line) => {
    const last = all.at(-1);
    if (line.includes('->') && last?.[0]?.includes('->') === true) last.push(line);
    else all.push([line]);
    return all;
  }, []);
  return `${[...blocks.flatMap((block) => block.sort()), ...told].join('\n')}\n`;
}
