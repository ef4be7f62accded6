/** From heal.json to the desired state, or to one report of all its mistakes, in the manner of the daemon's. */
import type { JsonValue } from '../../core/state/json';
import { withoutNotes } from '../../config/document';
import { parseDocument, readTextFile, type Refusal } from '../../config/reading';
import { examine, sentence } from '../../config/report';
import { healPartsOf, healRules, type HealRule } from './rules';
import { healDocumentSchema, type HealConfig } from './schema';
import { settingsOf, type HealSettings } from './settings';

export type HealLoaded =
  | {
      readonly ok: true;
      readonly settings: HealSettings;
      /** The file with defaults filled in, by its own keys. */
      readonly effective: { readonly heal: HealConfig };
      readonly warnings: readonly string[];
    }
  | Refusal;

const advice = 'write it as {"heal": {...}}, see the examples pair.json and nat.json in config/heal';

type Judgement =
  | { readonly ok: true; readonly heal: HealConfig; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly mistakes: readonly string[] };

export function loadHealFile(path: string): HealLoaded {
  const reading = readTextFile(path);
  return reading.ok ? parseHealFile(reading.text, path) : reading;
}

/** `name` is how the report calls the document. */
export function parseHealFile(text: string, name: string): HealLoaded {
  const reading = parseDocument(text, { name, advice, judge });
  if (!reading.ok) return reading;
  const { heal, warnings } = reading.judgement;
  return { ok: true, settings: settingsOf(heal), effective: { heal }, warnings };
}

function judge(document: JsonValue): Judgement {
  const noted = withoutNotes(document);
  const parts = healPartsOf(noted);
  const broken = (severity: HealRule['severity']) =>
    healRules
      .filter((rule) => rule.severity === severity)
      .flatMap((rule) => rule.find(parts))
      .map(({ path, message }) => sentence(path, message));
  const reading = examine(healDocumentSchema, 'heal', noted);
  const mistakes = [...reading.mistakes, ...broken('mistake')];
  if (reading.data === null || mistakes.length > 0) return { ok: false, mistakes };
  return { ok: true, heal: reading.data.heal, warnings: [...reading.warnings, ...broken('warning')] };
}
