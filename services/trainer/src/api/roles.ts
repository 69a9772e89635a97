/** Which role each method needs. */

import { Role, StudyServiceService } from '@glocal/proto/glocal/v1/study_service';

/** One for each method of the contract: reading what is the caller's, or making and changing it. */
const NEEDED = {
  createStudy: Role.WRITE,
  validateStudy: Role.READ,
  getStudy: Role.READ,
  listStudies: Role.READ,
  pauseStudy: Role.WRITE,
  resumeStudy: Role.WRITE,
  deleteStudy: Role.WRITE,
  cancelStudy: Role.WRITE,
  getTrial: Role.READ,
  listTrials: Role.READ,
  getOuterStep: Role.READ,
  readOuterStep: Role.READ,
  listOuterSteps: Role.READ,
  watchStudy: Role.READ,
  exportSchedule: Role.READ,
  listProblems: Role.READ,
  getServerInfo: Role.READ,
  driveTrial: Role.WRITE,
  reportHypergradients: Role.WRITE,
  reanalyzeWindow: Role.READ,
  uploadArtifact: Role.WRITE,
  getArtifact: Role.READ,
  listArtifacts: Role.READ,
  deleteArtifact: Role.WRITE,
} as const satisfies Record<keyof typeof StudyServiceService, Role>;

const BY_PATH: ReadonlyMap<string, Role> = new Map(
  Object.entries(NEEDED).map(([name, role]) => [
    StudyServiceService[name as keyof typeof StudyServiceService].path,
    role,
  ]),
);

/** For what asks whether the server runs, and cannot keep a secret: the probes of a cluster. */
const OPEN = '/grpc.health.v1.Health/Check';

/**
 * The role that a method needs; undefined for the one that anybody may call. Of the methods of other services, reflection and
 * watches of the health, none changes anything.
 */
export const roleFor = (path: string): Role | undefined =>
  path === OPEN ? undefined : (BY_PATH.get(path) ?? Role.READ);

/** Whether a method changes something. */
export const changes = (path: string): boolean => BY_PATH.get(path) === Role.WRITE;
