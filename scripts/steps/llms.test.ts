import { expect, it } from 'vitest';
import { llmsText } from './llms.ts';

const README = `# pack

A client. It tunes.

<!-- run by a.test.ts -->
\`\`\`js
tune();
\`\`\`

## Contents

[One](#one)

## One
`;
const TYPES = `/** Where a server is: host and port. More of it. */
interface Address {}
/**
 * Makes a
 * space.
 * @throws GlocalError
 */
declare function space$1(): void;
export { type Address, space$1 as space };
`;

it('has the first screen without notes, the headings, and each exported name with its first sentence', () => {
  expect(llmsText(README, TYPES)).toBe(`# pack

> A client. It tunes.

\`\`\`js
tune();
\`\`\`

## More

README.md beside the folder of this file has: One. index.d.mts has all types with comments.

## Names

- \`Address\` (interface): Where a server is: host and port.
- \`space\` (function): Makes a space.
`);
});

it('refuses a name without a comment', () => {
  expect(() => llmsText(README, 'interface Bare {}\nexport { type Bare };\n')).toThrow(/Bare is exported/);
});
