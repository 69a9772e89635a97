/** How much of the code in the documents is run or type-checked by tests. */

import { codeBlocks } from '../../docs/code-blocks.ts';
import type { Row } from '../row.ts';

export function documentRows(): Row[] {
  const blocks = codeBlocks();
  const proven = blocks.filter(({ proof }) => proof !== undefined);
  return [
    {
      name: 'sdk.readme_blocks_executed_share',
      value: proven.length / blocks.length,
      unit: 'share',
      n: blocks.length,
    },
  ];
}
