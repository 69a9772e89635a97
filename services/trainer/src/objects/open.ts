/** Opens a store of objects by its location. */

import type { SessionOptions } from '../store/postgres/session.ts';
import { FolderObjects } from './folder.ts';
import type { ObjectsLocation } from './location.ts';
import type { ObjectStore } from './store.ts';

/**
 * Asks nothing of it: {@link ObjectStore.check} does.
 * @param database the store of studies, where that is the place.
 * @throws TypeError for a location in a database without it.
 */
export async function openObjects(
  location: ObjectsLocation,
  database?: SessionOptions | undefined,
): Promise<ObjectStore> {
  switch (location.kind) {
    case 'folder':
      return new FolderObjects(location.path);
    case 's3': {
      const { S3Objects } = await import('./s3.ts');
      return new S3Objects(location);
    }
    case 'database': {
      if (database === undefined) throw new TypeError('there is no database to have objects in');
      const { PostgresObjects } = await import('./postgres.ts');
      return PostgresObjects.open(location, database);
    }
  }
}
