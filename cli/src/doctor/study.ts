/** Whether a server could run the study of a file. */

import { type GlocalClient, GlocalError } from '@glocal/sdk';
import { CommandError } from '../exit.ts';
import { GLOCAL } from '../invocation.ts';
import { readSpecification } from '../specification.ts';
import { datasetFinding } from './data.ts';
import { type Finding, fault, good, unknown } from './finding.ts';

const CHECK = 'study';

/** Has the server check it; what is wrong with it comes field by field. */
export async function studyFindings(file: string, client: GlocalClient | undefined): Promise<Finding[]> {
  if (client === undefined) return [unknown(CHECK, 'the server does not answer')];
  try {
    const { displayName, predictedCost, problem } = await client.studies.validate(
      await readSpecification(file),
    );
    // An artifact is not among them: it was uploaded to the server as a whole.
    const { datasets } = await client.problems();
    return [
      good(CHECK, `${displayName || file} could run, for ${predictedCost.toFixed(2)} plain runs`),
      ...datasets.filter(({ id }) => id === problem.dataset).map(datasetFinding),
    ];
  } catch (error) {
    if (error instanceof CommandError) return [fault(CHECK, error.message, `${GLOCAL} init`)];
    if (!(error instanceof GlocalError)) throw error;
    if (error.fieldViolations.length === 0)
      return [fault(CHECK, error.message, `${GLOCAL} study create -f ${file} --validate`)];
    return error.fieldViolations.map(({ field, description }) =>
      field === 'problem.dataset'
        ? fault('data sets', `${field}: ${description}`, `GLOCAL_DATA_DIR=FOLDER-WITH-IT ${GLOCAL} serve`)
        : fault(CHECK, `${field}: ${description}`, `${GLOCAL} study create -f ${file} --validate`),
    );
  }
}
