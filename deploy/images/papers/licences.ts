/** Texts of licences: found in the folder of what is licensed, and put together in that of an image. */

import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const TEXT = /^(licen[cs]e|notice|copying|copyright|third.?party|unlicense)/i;

/** Something that is inside an image. */
export interface Part {
  /** For instance `@grpc/grpc-js`. */
  readonly name: string;
  readonly version: string;
  /** An SPDX expression, or what its authors wrote in place of one. */
  readonly licence: string;
  /** Has the texts, if its authors put any there. */
  readonly folder: string;
  /** The file that has the text, where others have the folder, too. */
  readonly text?: string;
}

/**
 * Copies the texts that stand at the top of a part's folder; where there is none, its manifest's word takes their place.
 * @param to of all licences; the part gets a folder of its own.
 */
export function copyLicence({ name, version, licence, folder, text: only }: Part, to: string): void {
  const own = join(to, `${name}@${version}`);
  mkdirSync(own, { recursive: true });
  const texts = readdirSync(folder, { withFileTypes: true }).filter(
    (entry) => entry.isFile() && (only === undefined ? TEXT.test(entry.name) : entry.name === only),
  );
  for (const { name: text } of texts) copyFileSync(join(folder, text), join(own, text));
  if (texts.length === 0) {
    writeFileSync(join(own, 'LICENSE'), `${licence}\n\nThe package says this and has no text of it.\n`);
  }
}

/** The product's own licence. */
export function copyOwnLicence(file: string, to: string): void {
  mkdirSync(to, { recursive: true });
  copyFileSync(file, join(to, 'LICENSE'));
}
