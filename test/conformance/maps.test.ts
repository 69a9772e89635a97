/** Maps of the contract, and the options of a module, may have any key: also those that JavaScript's objects treat specially. */

import { Problem, Study } from '@glocal/proto/glocal/v1/study';
import { ListStudiesRequest } from '@glocal/proto/glocal/v1/study_service';
import { ErrorInfo } from '@glocal/proto/google/rpc/error_details';
import { expect, it } from 'vitest';

const KEYS = ['__proto__', 'constructor', 'hasOwnProperty', 'a'];
const values: Record<string, string> = Object.fromEntries(KEYS.map((key) => [key, 'x']));

it.each([
  ['labels', () => Study.decode(Study.encode(Study.fromPartial({ labels: values })).finish()).labels],
  [
    'labels that are asked for',
    () => {
      const request = ListStudiesRequest.fromPartial({ labels: values });
      return ListStudiesRequest.decode(ListStudiesRequest.encode(request).finish()).labels;
    },
  ],
  [
    'details of an error',
    () => ErrorInfo.decode(ErrorInfo.encode(ErrorInfo.fromPartial({ metadata: values })).finish()).metadata,
  ],
  [
    'options of a module, at any depth',
    () => {
      const problem = Problem.fromPartial({ options: { nested: values } });
      return Problem.decode(Problem.encode(problem).finish()).options?.nested;
    },
  ],
])('keep every key through the wire: %s', (_what, decoded) => {
  expect(Object.entries(decoded()).sort()).toEqual(Object.entries(values).sort());
});
