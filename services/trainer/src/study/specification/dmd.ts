/** Options of the decomposition. Its defaults are those of the variant (docs/method.md, section 5). */

import { Anchor, type DmdOptions, Scaling, Selection, Variant } from '@glocal/proto/glocal/v1/dmd';
import type { Checker } from './checker.ts';

const CLIP = 0.9;
const RIDGE = { every: 0.01, strided: 0.001 } as const;

/** @param stride inner steps between two rows, which the options state again for the DMD service. */
export function completeDmd(requested: DmdOptions | undefined, stride: number, check: Checker): DmdOptions {
  const variant = requested?.variant || Variant.AFFINE;
  const affine = variant === Variant.AFFINE;
  const options = {
    variant,
    delays: requested?.delays ?? defaultDelays(affine, stride),
    svdRank: requested?.svdRank ?? (affine ? 3 : -1),
    tolerance: requested?.tolerance ?? 0.1,
    clip: requested?.clip ?? CLIP,
    ridge: requested?.ridge ?? (stride > 1 ? RIDGE.strided : RIDGE.every),
    scaling: requested?.scaling || Scaling.COMPONENT,
    includeContributions: requested?.includeContributions ?? false,
    stride: Math.max(1, stride),
    selection: requested?.selection || Selection.STEADY,
    anchor: requested?.anchor || Anchor.FIRST,
  } satisfies DmdOptions;
  const { delays, svdRank, tolerance, clip, ridge, scaling, selection, anchor } = options;
  check.require(
    variant !== Variant.UNRECOGNIZED,
    'method.dmd.variant',
    'is unknown; one of HANKEL, AFFINE, FORWARD_BACKWARD, OPTIMIZED, MEAN, MEDIAN, LAST',
  );
  check.require(delays >= 1, 'method.dmd.delays', `${delays} is not positive`);
  check.require(
    svdRank === -1 || (svdRank >= 0 && svdRank < 1) || (Number.isInteger(svdRank) && svdRank >= 1),
    'method.dmd.svd_rank',
    `${svdRank} is neither -1 (all), 0 (optimal threshold), a share below 1, nor a whole rank`,
  );
  check.require(
    tolerance > 0 && Number.isFinite(tolerance),
    'method.dmd.tolerance',
    `${tolerance} is not a positive number`,
  );
  check.require(clip > 0 && clip < 1, 'method.dmd.clip', `${clip} is not between 0 and 1`);
  check.require(
    ridge >= 0 && Number.isFinite(ridge),
    'method.dmd.ridge',
    `${ridge} is not a number of 0 or more`,
  );
  check.require(
    scaling !== Scaling.UNRECOGNIZED,
    'method.dmd.scaling',
    'is unknown; one of COMPONENT, GLOBAL, NONE',
  );
  check.require(
    selection !== Selection.UNRECOGNIZED,
    'method.dmd.selection',
    'is unknown; one of STEADY, NEAREST',
  );
  check.require(anchor !== Anchor.UNRECOGNIZED, 'method.dmd.anchor', 'is unknown; one of FIRST, LAST');
  check.require(
    requested?.stride === undefined || requested.stride === stride,
    'method.dmd.stride',
    `${requested?.stride} is not method.stride = ${stride}; leave it out`,
  );
  return options;
}

function defaultDelays(affine: boolean, stride: number): number {
  if (stride > 1) return 2;
  return affine ? 3 : 10;
}
