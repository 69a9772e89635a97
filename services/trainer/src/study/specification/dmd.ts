/** Options of the decomposition. */

import { Anchor, type DmdOptions, Scaling, Selection, Variant } from '@glocal/proto/glocal/v1/dmd';
import type { CompleteDmdOptions } from '../../resource/complete-study.ts';
import type { Checker } from './checker.ts';
import { DMD, dmdOf } from './defaults.ts';

/** The largest rank that the DMD service can be asked for. */
const MAX_RANK = 2 ** 32 - 1;

/**
 * @param stride inner steps between two rows, which the options state again for the DMD service.
 * @param path of the options in the request.
 */
export function completeDmd(
  requested: DmdOptions | undefined,
  stride: number,
  check: Checker,
  path = 'method.dmd',
): CompleteDmdOptions {
  const variant = requested?.variant || DMD.variant;
  const byVariant = dmdOf(variant, stride);
  const options = {
    variant,
    delays: requested?.delays ?? byVariant.delays,
    svdRank: requested?.svdRank ?? byVariant.svdRank,
    tolerance: requested?.tolerance ?? DMD.tolerance,
    clip: requested?.clip ?? DMD.clip,
    ridge: requested?.ridge ?? byVariant.ridge,
    lastShare: requested?.lastShare ?? DMD.lastShare,
    scaling: requested?.scaling || DMD.scaling,
    includeContributions: requested?.includeContributions ?? DMD.includeContributions,
    stride,
    selection: requested?.selection || DMD.selection,
    anchor: requested?.anchor || DMD.anchor,
  } satisfies DmdOptions;
  const { delays, svdRank, tolerance, clip, ridge, lastShare } = options;
  check.oneOf(variant, Variant, `${path}.variant`);
  check.require(delays >= 1, `${path}.delays`, `${delays} is not positive`);
  check.require(
    svdRank === -1 ||
      (svdRank >= 0 && svdRank < 1) ||
      (Number.isInteger(svdRank) && svdRank >= 1 && svdRank <= MAX_RANK),
    `${path}.svd_rank`,
    `${svdRank} is neither -1 (all), 0 (optimal threshold), a share below 1, nor a whole rank up to ${MAX_RANK}`,
  );
  check.require(
    tolerance > 0 && Number.isFinite(tolerance),
    `${path}.tolerance`,
    `${tolerance} is not a positive number`,
  );
  check.require(clip > 0 && clip < 1, `${path}.clip`, `${clip} is not between 0 and 1`);
  check.require(
    ridge >= 0 && Number.isFinite(ridge),
    `${path}.ridge`,
    `${ridge} is not a number of 0 or more`,
  );
  check.require(
    lastShare >= 0 && lastShare <= 1,
    `${path}.last_share`,
    `${lastShare} is not a share from 0 to 1`,
  );
  check.oneOf(options.scaling, Scaling, `${path}.scaling`);
  check.oneOf(options.selection, Selection, `${path}.selection`);
  check.oneOf(options.anchor, Anchor, `${path}.anchor`);
  check.require(
    requested?.stride === undefined || requested.stride === stride,
    `${path}.stride`,
    `${requested?.stride} is not method.stride = ${stride}; leave it out`,
  );
  return options;
}
