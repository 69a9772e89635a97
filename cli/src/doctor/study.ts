/** Whether a server could run the study of a file. */

import { type GlocalClient, GlocalError } from '@glocal/sdk';
import { type ConnectionFlags, connectionArguments } from '../connection.ts';
import { CommandError, NOT_THERE } from '../exit.ts';
import { commandOf, GLOCAL } from '../invocation.ts';
import { readSpecification } from '../specification.ts';
import { costWords } from '../words.ts';
import { datasetFinding } from './data.ts';
import { type Finding, fault, good, unknown } from './finding.ts';

const CHECK = 'study';

/** Has the server check it; what is wrong with it comes field by field. */
export async function studyFindings(
  file: string,
  flags: ConnectionFlags,
  client: GlocalClient | undefined,
): Promise<Finding[]> {
  const again = commandOf('doctor', '-f', file, ...connectionArguments(flags));
  const correct = `correct it in ${file}, then: ${again}`;
  let spec: Awaited<ReturnType<typeof readSpecification>>;
  try {
    // What the file lacks by itself needs no server to be seen.
    spec = await readSpecification(file);
  } catch (error) {
    if (error instanceof CommandError) {
      const repair =
        error.exitCode === NOT_THERE
          ? `give a file that is there; ${GLOCAL} init makes a study.yaml`
          : correct;
      return [fault(CHECK, error.message, repair)];
    }
    return wrong(error, correct);
  }
  if (client === undefined) return [unknown(CHECK, 'the server does not answer')];
  try {
    const study = await client.studies.validate(spec);
    // An artifact is not among them: it was uploaded to the server as a whole.
    const { datasets } = await client.problems();
    const could = [`${study.displayName || file} could run`, costWords(study)].filter(Boolean).join(', ');
    return [
      good(CHECK, could),
      ...datasets.filter(({ id }) => id === study.problem.dataset).map(datasetFinding),
    ];
  } catch (error) {
    return wrong(error, correct);
  }
}

function wrong(error: unknown, correct: string): Finding[] {
  if (!(error instanceof GlocalError)) throw error;
  if (error.fieldViolations.length === 0) return [fault(CHECK, error.message, correct)];
  return error.fieldViolations.map(({ field, description }) =>
    field === 'problem.dataset'
      ? fault('data sets', `${field}: ${description}`, `GLOCAL_DATA_DIR=FOLDER-WITH-IT ${GLOCAL} serve`)
      : fault(CHECK, `${field}: ${description}`, correct),
  );
}
