/** What schedules take that are taken home. */

import type { CodeOptions } from '../schedule-code.ts';
import { INT32_MAX, list, object, optional, text, whole } from './rule.ts';

export const codeOptions = optional(object<CodeOptions>({ parameters: optional(list(text)) }));
export const scheduledOptions = optional(
  object<{ steps?: number | undefined }>({ steps: optional(whole(1, INT32_MAX)) }),
);
