/** Queries of Prometheus, taken apart by its own grammar. */

import { parser } from '@prometheus-io/lezer-promql';

/** What a query asks for. */
export interface Query {
  /** Names of figures, with the labels that they are chosen by and the values of these (of `=~` each alternative). */
  readonly selectors: readonly { readonly name: string; readonly matchers: readonly Matcher[] }[];
  /** Labels that it groups or matches by. */
  readonly grouping: readonly string[];
}

export interface Matcher {
  readonly label: string;
  readonly values: readonly string[];
}

/** @throws Error where it is no query. */
export function parseQuery(query: string): Query {
  const selectors: { name: string; matchers: Matcher[] }[] = [];
  const grouping: string[] = [];
  const tree = parser.parse(query);
  const textOf = ({ from, to }: { from: number; to: number }): string => query.slice(from, to);
  tree.iterate({
    enter(node) {
      if (node.type.isError) throw new Error(`no query from "${query.slice(node.from)}" on: ${query}`);
      if (node.name === 'VectorSelector') {
        const name = node.node.getChild('Identifier');
        const list = node.node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
        const matchers = list.map((matcher) => {
          const [label, value] = [matcher.getChild('LabelName'), matcher.getChild('StringLiteral')];
          if (label === null || value === null) throw new Error(`a matcher without label or value: ${query}`);
          return { label: textOf(label), values: (JSON.parse(textOf(value)) as string).split('|') };
        });
        selectors.push({ name: name === null ? '' : textOf(name), matchers });
      }
      if (node.name === 'GroupingLabels') {
        grouping.push(...node.node.getChildren('LabelName').map((label) => textOf(label)));
      }
    },
  });
  return { selectors, grouping };
}
