import { expect, it } from 'vitest';
import { pageFolder, readPage } from './page-files.ts';

it('is what was built, and never its sources, which lie where a published program has it', () => {
  expect(pageFolder('/clone/dashboard/src/server/page-files.ts')).toBe('/clone/dashboard/dist/page');
  expect(pageFolder('/package/dist/lib/index.js')).toBe('/package/dist/page');
  expect(() => readPage('/nowhere/page')).toThrow('npm run page');
});
