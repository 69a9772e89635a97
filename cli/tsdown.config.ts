/** The program as it is installed, in `dist/lib`: what it loads only when it is needed stays apart. */
import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: 'src/main.ts',
  outDir: 'dist/lib',
  fixedExtension: false,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  dts: false,
});
