/** A scripted server that takes any study and at once has trained it, in four outer steps. */

import { Study, StudyState, TrialState } from '@glocal/proto/glocal/v1/study';
import { event, outerStep, STUDY, study, trial } from './messages.ts';
import { type Script, type ScriptedServer, startScriptedServer } from './scripted-server.ts';

const STEPS = [1, 2, 3, 4];
const evaluation = { loss: 0.71, accuracy: 0.744, examples: 2_000 };
const done = trial(0, { state: TrialState.SUCCEEDED, validation: evaluation, test: evaluation });

export function startScriptedTrainer(): Promise<ScriptedServer> {
  let created = study();
  const ended = (): Study => ({ ...created, state: StudyState.COMPLETED });
  const script: Script = {
    getServerInfo: (_call, callback) =>
      callback(null, {
        version: '0',
        backend: 'scripted',
        dmdAddress: '',
        limits: undefined,
        dmd: undefined,
        caller: undefined,
      }),
    createStudy: ({ request }, callback) => {
      created = { ...Study.create(request.study), name: STUDY, state: StudyState.ACTIVE };
      callback(null, created);
    },
    getStudy: (_call, callback) => callback(null, ended()),
    watchStudy: (call) => {
      call.write(event(1, { $case: 'study', value: created }));
      for (const i of STEPS) call.write(event(i + 1, { $case: 'outerStep', value: outerStep(i) }));
      call.write(event(6, { $case: 'study', value: ended() }));
      call.end();
    },
    listTrials: (_call, callback) => callback(null, { trials: [done], nextPageToken: '' }),
    exportSchedule: (_call, callback) =>
      callback(null, {
        parameters: ['lr', 'momentum', 'weightDecay'],
        points: [0, ...STEPS].map((i) => ({ step: i * 50, values: [0.01 * (i + 1), 0.1, 5e-4] })),
        nextPageToken: '',
      }),
  };
  return startScriptedServer(script);
}
