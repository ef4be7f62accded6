/**
 * Which npm packages are in the bundle, found from the modules that went into it: `packages.json` with their
 * versions and licences, and LICENCES.txt with the texts that their authors ask to be passed on.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type BundledPackage = { readonly name: string; readonly version: string; readonly licence: string };

export function writeShipped(moduleIds: readonly string[], folder: string): void {
  const folders = [...new Set(moduleIds.flatMap((id) => packageFolder(id) ?? []))];
  const found = folders
    .map((path) => ({ path, ...manifestOf(path) }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const packages: readonly BundledPackage[] = found.map(({ name, version, licence }) => ({
    name,
    version,
    licence,
  }));
  writeFileSync(join(folder, 'packages.json'), `${JSON.stringify(packages, null, 2)}\n`);
  const texts = found.map(
    ({ path, name, version, licence }) =>
      `${name} ${version} (${licence})\n\n${licenceText(path, licence)}\n`,
  );
  writeFileSync(join(folder, 'LICENCES.txt'), texts.join(`\n${'='.repeat(80)}\n\n`));
}

/** The folder of the package that a module belongs to; null for the product's own. */
function packageFolder(moduleId: string): string | null {
  const [, folder] = /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(moduleId) ?? [];
  return folder ?? null;
}

function manifestOf(folder: string): BundledPackage {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly version: string;
    readonly license?: string;
  };
  return { name, version, licence: license ?? 'none named' };
}

/** Some packages name their licence and leave out its text: then the name has to do. */
function licenceText(folder: string, licence: string): string {
  const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(name));
  if (file !== undefined) return readFileSync(join(folder, file), 'utf8').trim();
  const notice = existsSync(join(folder, 'NOTICE'))
    ? readFileSync(join(folder, 'NOTICE'), 'utf8').trim()
    : '';
  return notice === ''
    ? `This package has no licence text of its own; its manifest says ${licence}.`
    : notice;
}
