/** The server as it is installed, in `dist/lib`; the page lies beside it, in `dist/page`. */
import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: 'src/server/index.ts',
  outDir: 'dist/lib',
  fixedExtension: false,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  dts: true,
});
