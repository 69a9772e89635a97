/** `llms.txt` of the SDK (llmstxt.org): what a language model needs to write programs with it, made from its documents. */

/** A declaration with its comment, as the bundled types have it. */
const DECLARATION =
  /\/\*\*((?:(?!\*\/).)*)\*\/\n(?:declare )?(class|interface|type|function|const) ([\w$]+)/gs;

/**
 * The first screen of the README with its program, the headings of what else it says, and every exported name with the first
 * sentence of its comment.
 *
 * @param readme of the SDK
 * @param declarations its types, bundled
 */
export function llmsText(readme: string, declarations: string): string {
  const [title = '', ...rest] = readme.replaceAll(/<!--.*?-->\n+/gs, '').split('\n');
  const opening = rest.join('\n').split('\n## ', 1)[0]?.trim() ?? '';
  const [summary = '', ...screen] = opening.split('\n\n');
  const headings = [...readme.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
  const sections = headings.filter((heading) => heading !== 'Contents');
  return [
    title,
    `> ${summary.replaceAll('\n', ' ')}`,
    ...screen,
    `## More\n\nREADME.md beside the folder of this file has: ${sections.join(', ')}. index.d.mts has all types with comments.`,
    `## Names\n\n${namesOf(declarations).join('\n')}`,
  ]
    .join('\n\n')
    .concat('\n');
}

/** A line for each exported name. @throws Error when one has no comment. */
function namesOf(declarations: string): string[] {
  const [, list = ''] = declarations.match(/^export \{(.*)\};$/m) ?? [];
  const about = new Map(
    [...declarations.matchAll(DECLARATION)].map(([, comment = '', kind, name]) => [
      name,
      { kind, sentence: firstSentence(comment) },
    ]),
  );
  return list.split(',').map((item) => {
    const [name = '', exported = name] = item
      .trim()
      .replace(/^type /, '')
      .split(' as ');
    const found = about.get(name);
    if (found === undefined)
      throw new Error(`${exported} is exported without a comment that says what it is`);
    return `- \`${exported}\` (${found.kind}): ${found.sentence}`;
  });
}

function firstSentence(comment: string): string {
  const text = comment
    .replaceAll(/\n\s*\*/g, '')
    .trim()
    .replaceAll(/\s+/g, ' ');
  return text.split(/ @\w/, 1)[0]?.match(/^.*?\.(?= |$)/)?.[0] ?? text;
}
