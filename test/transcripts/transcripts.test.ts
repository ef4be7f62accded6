/**
 * Each story is comment lines, inputs, `----`, and what router A did; in the other cloud it does the same, in words that
 * name that one. TRANSCRIPTS_REWRITE=1 writes what it
 * does now into the files: read the diff against the rule that the story quotes before keeping it.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Story } from './story';
import { IN_OPENSTACK } from './storyWorld';

const rewriting = process.env['TRANSCRIPTS_REWRITE'] === '1';

const stories = readdirSync(__dirname).filter((name) => name.endsWith('.txt'));

describe('transcripts', () => {
  test('there are stories', () => {
    expect(stories.length).toBeGreaterThan(20);
  });

  test.each(stories)('%s', (name) => {
    const path = join(__dirname, name);
    const { given, inputs, expected } = read(path);
    const captured = Story.play(inputs).join('\n') + '\n';
    if (rewriting) writeFileSync(path, `${given.trimEnd()}\n----\n${captured}`);
    else expect(captured).toBe(expected);
  });

  if (!rewriting)
    test.each(stories)('%s, with the targets in OpenStack', (name) => {
      const { inputs, expected } = read(join(__dirname, name));
      const captured = Story.play(inputs, IN_OPENSTACK).join('\n') + '\n';
      expect(captured).toBe(
        expected.replaceAll('EC2', 'Neutron').replaceAll('an AWS service', 'a service of OpenStack'),
      );
    });
});

function read(path: string) {
  const [given = '', expected = ''] = readFileSync(path, 'utf8').split(/^----\n/m);
  const inputs = given.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return { given, inputs, expected };
}
