/** Opens a store of objects by its location. */

import { FolderObjects } from './folder.ts';
import type { ObjectsLocation } from './location.ts';
import type { ObjectStore } from './store.ts';

/** Asks nothing of it: {@link ObjectStore.check} does. */
export async function openObjects(location: ObjectsLocation): Promise<ObjectStore> {
  switch (location.kind) {
    case 'folder':
      return new FolderObjects(location.path);
    case 's3': {
      const { S3Objects } = await import('./s3.ts');
      return new S3Objects(location);
    }
  }
}
