// What may be shipped: the list of licences, and that every package that the product needs is on it.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { licenceProblems } from '../../scripts/package/licences';
import type { ShippedPackage } from '../../scripts/package/debianBase';

const npm = (licence: string): ShippedPackage => ({ name: 'x', version: '1.0.0', licence, kind: 'npm' });

test.each(['MIT', 'Apache-2.0', 'BSD-3-Clause'])('%s may be shipped', (licence) => {
  expect(licenceProblems([npm(licence)])).toEqual([]);
});

test.each(['GPL-3.0', 'UNLICENSED', 'none named', ''])('%p may not', (licence) => {
  expect(licenceProblems([npm(licence)])).toHaveLength(1);
});

test('a Debian package names some licence', () => {
  expect(licenceProblems([{ ...npm(''), kind: 'deb' }])).toHaveLength(1);
  expect(licenceProblems([{ ...npm('LGPL-2.1+'), kind: 'deb' }])).toEqual([]);
});

test('every npm package that is needed at run time has an allowed licence', () => {
  const lock = JSON.parse(readFileSync(resolve(__dirname, '../../package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<
      Record<string, { readonly version?: string; readonly license?: string; readonly dev?: boolean }>
    >;
  };
  const needed = Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .map(([name, { version = '', license = '' }]): ShippedPackage => ({
      name,
      version,
      licence: license,
      kind: 'npm',
    }));
  expect(needed.length).toBeGreaterThan(10);
  expect(licenceProblems(needed)).toEqual([]);
});
