/** The page, in `dist/page`: files named by their content, nothing inline, nothing from elsewhere. */
import { join } from 'node:path';
import { defineConfig } from 'vite';

// A page for development has the paths of its sources in it. Tests, which pack it, have an environment of their own.
process.env.NODE_ENV = 'production';

export default defineConfig({
  root: join(import.meta.dirname, 'src/page'),
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: join(import.meta.dirname, 'dist/page'),
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    license: { fileName: 'licences-of-others.txt' },
  },
});
