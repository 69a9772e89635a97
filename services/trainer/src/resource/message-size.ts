/** What gRPC's clients receive in one message unless they are told otherwise. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
