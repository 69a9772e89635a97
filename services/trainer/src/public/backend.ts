/** The tfjs backend: which there is, and starting it. */

export {
  type BackendInfo,
  type BackendName,
  chooseBackend,
  fallbackNotice,
  initBackend,
} from '../backend/select.ts';
