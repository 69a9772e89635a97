/** Which store of objects: what a process is told to open it, without secrets. */

import { join } from 'node:path';

/** A folder, which may be one that machines share. */
export interface FolderLocation {
  readonly kind: 'folder';
  readonly path: string;
}

/** A part of a bucket of an S3-compatible store. Credentials are found where the AWS SDK looks for them. */
export interface S3Location {
  readonly kind: 's3';
  readonly bucket: string;
  /** Begins all keys: empty, or it ends with a slash. */
  readonly prefix: string;
  /** URL of the store; undefined for that of AWS. */
  readonly endpoint: string | undefined;
  /** Undefined for the one that the environment or the profile names. */
  readonly region: string | undefined;
}

/** A part of the database that is the store of studies: only who has that can open it. */
export interface DatabaseLocation {
  readonly kind: 'database';
  /** Begins all keys: empty, or it ends with a slash. */
  readonly prefix: string;
}

/** What any process can open by itself. */
export type OpenLocation = FolderLocation | S3Location;

export type ObjectsLocation = OpenLocation | DatabaseLocation;

/** A location that cannot be; the message goes on after the name of the setting. */
export class LocationError extends Error {
  override readonly name = 'LocationError';
}

/** As AWS has them; others allow no more. */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** Of a prefix: what needs no care in any store and no encoding in any URL. */
const PART = /^[A-Za-z0-9!_.*'()-]+$/;

/**
 * @param text `s3://BUCKET` or `s3://BUCKET/PREFIX`, or the path of a folder.
 * @throws LocationError
 */
export function parseLocation(
  text: string,
  { endpoint, region }: { readonly endpoint?: string | undefined; readonly region?: string | undefined } = {},
): OpenLocation {
  // A letter alone is a drive of Windows.
  const [, scheme, rest = ''] = text.match(/^([a-z][a-z0-9+.-]+):(.*)$/i) ?? [];
  if (scheme === undefined) return { kind: 'folder', path: text };
  if (scheme.toLowerCase() !== 's3' || !rest.startsWith('//')) {
    throw new LocationError(`"${text}" is neither s3://BUCKET/PREFIX nor the path of a folder`);
  }
  const [bucket = '', ...parts] = rest.slice(2).replace(/\/+$/, '').split('/');
  if (!BUCKET.test(bucket)) throw new LocationError(`"${bucket}" of "${text}" is not the name of a bucket`);
  const wrong = parts.find((part) => !PART.test(part) || part === '.' || part === '..');
  if (wrong !== undefined) {
    throw new LocationError(
      `"${wrong}" of "${text}" cannot be part of a prefix: letters, digits and !_.*'()- without spaces`,
    );
  }
  const prefix = parts.map((part) => `${part}/`).join('');
  return { kind: 's3', bucket, prefix, endpoint, region };
}

/** A part of a location, for one kind of object. */
export function within<Location extends ObjectsLocation>(location: Location, part: string): Location {
  if (location.kind === 'folder') return { ...location, path: join(location.path, part) };
  return { ...location, prefix: `${location.prefix}${part}/` };
}

/** For people. */
export function describeLocation(location: ObjectsLocation): string {
  if (location.kind === 'folder') return location.path;
  if (location.kind === 'database') return 'the database of --store';
  const { bucket, prefix, endpoint } = location;
  return `s3://${bucket}/${prefix}${endpoint === undefined ? '' : ` at ${endpoint}`}`;
}
