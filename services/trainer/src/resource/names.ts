/** Resource names: `studies/{study}/trials/{trial}/outerSteps/{index}`, and `artifacts/{artifact}`. */

import { FieldError } from './errors.ts';
import { quote } from './quote.ts';

const ID = '[A-Za-z0-9_-]{1,64}';
const STUDY = new RegExp(`^studies/(${ID})$`);
const TRIAL = new RegExp(`^studies/(${ID})/trials/(\\d{1,6})$`);
const OUTER_STEP = new RegExp(`^studies/(${ID})/trials/(\\d{1,6})/outerSteps/(\\d{1,9})$`);
const ARTIFACT = new RegExp(`^artifacts/(${ID})$`);

export const studyName = (study: string): string => `studies/${study}`;
export const trialName = (study: string, trial: number): string => `studies/${study}/trials/${trial}`;
export const outerStepName = (study: string, trial: number, index: number): string =>
  `${trialName(study, trial)}/outerSteps/${index}`;
export const artifactName = (artifact: string): string => `artifacts/${artifact}`;

/** Whether a text is the name of an artifact, as a problem may have it in place of an id. */
export const isArtifactName = (text: string): boolean => ARTIFACT.test(text);

/** Whether a text is the name of a trial. */
export const isTrialName = (text: string): boolean => TRIAL.test(text);

/** @throws FieldError naming `field`. */
export function parseStudyName(name: string, field: string): string {
  const [, study] = match(STUDY, name, field, 'studies/{study}');
  return study as string;
}

/** @throws FieldError naming `field`. */
export function parseTrialName(name: string, field: string): { study: string; trial: number } {
  const [, study, trial] = match(TRIAL, name, field, 'studies/{study}/trials/{trial}');
  return { study: study as string, trial: Number(trial) };
}

/** @throws FieldError naming `field`. */
export function parseOuterStepName(
  name: string,
  field: string,
): { study: string; trial: number; index: number } {
  const form = 'studies/{study}/trials/{trial}/outerSteps/{index}';
  const [, study, trial, index] = match(OUTER_STEP, name, field, form);
  return { study: study as string, trial: Number(trial), index: Number(index) };
}

/** @throws FieldError naming `field`. */
export function parseArtifactName(name: string, field: string): string {
  const [, artifact] = match(ARTIFACT, name, field, 'artifacts/{artifact}');
  return artifact as string;
}

function match(pattern: RegExp, name: string, field: string, form: string): RegExpMatchArray {
  const found = name.match(pattern);
  if (found === null) {
    throw FieldError.of('RESOURCE_NAME', field, `${quote(name)} is not of the form ${form}`);
  }
  return found;
}

/** The study that a trial or an outer step belongs to. */
export const studyOf = (name: string): string => name.split('/', 2).join('/');
