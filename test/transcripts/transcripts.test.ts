/**
 * Each story is comment lines, inputs, `----`, and what router A did. TRANSCRIPTS_REWRITE=1 writes what it
 * does now into the files: read the diff against the rule that the story quotes before keeping it.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Story } from './story';

const rewriting = process.env['TRANSCRIPTS_REWRITE'] === '1';

const stories = readdirSync(__dirname).filter((name) => name.endsWith('.txt'));

describe('transcripts', () => {
  test('there are stories', () => {
    expect(stories.length).toBeGreaterThan(20);
  });

  test.each(stories)('%s', (name) => {
    const path = join(__dirname, name);
    const text = readFileSync(path, 'utf8');
    const [given = '', expected] = text.split(/^----\n/m);
    const inputs = given.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
    const captured = Story.play(inputs).join('\n') + '\n';
    if (rewriting) writeFileSync(path, `${given.trimEnd()}\n----\n${captured}`);
    else expect(captured).toBe(expected);
  });
});
