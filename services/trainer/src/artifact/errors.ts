/** Files of an artifact are gone or damaged where they are kept; the message says which. */
export class ArtifactError extends Error {
  override readonly name = 'ArtifactError';
}
