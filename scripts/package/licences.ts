/**
 * Whether everything that the image ships may be passed on. Software of Debian's main archive may be: that is what
 * it takes to be there, and the texts are shipped. What comes from npm is judged by the licence that it names.
 */
import type { ShippedPackage } from './debianBase';

/** Permissive licences, whose only duty is to pass the text on. */
export const allowedLicences = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'] as const;

/** One sentence for each package that may not be shipped. */
export function licenceProblems(packages: readonly ShippedPackage[]): readonly string[] {
  return packages.flatMap(({ name, version, licence, kind }) => {
    const allowed = allowedLicences.some((each) => each === licence);
    if (kind === 'deb') return licence === '' ? [`${name} ${version} (Debian) names no licence`] : [];
    return allowed
      ? []
      : [`${name} ${version} (${kind}) has the licence ${licence}, which is not on the list`];
  });
}
