/** The native TensorFlow runtime of the trainer. Training works without it, several times slower. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../root.ts';

export async function ensureNative(): Promise<void> {
  const file = join(root, 'services', 'trainer', 'src', 'backend', 'native-setup.ts');
  if (!existsSync(file)) return;
  const { setUpNative } = await import(file);
  await setUpNative({ log: (line: string) => console.error(`native       ${line}`) });
}
