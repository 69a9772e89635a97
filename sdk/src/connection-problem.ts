/** Why there is no connection, in one line: what gRPC says of it, for those who do not know gRPC. */

/** How gRPC describes a stream that ended below it: reset, or with headers that are too large to be taken. */
export const BROKEN_STREAM = /^(?:Received RST_STREAM|Failed to start HTTP\/2 stream|Bandwidth exhausted)/;

/** `80BC…:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:…/ssl3_record.c:350:` */
const OF_OPENSSL = /error:[0-9A-F]+:SSL routines:[^:]*:([^:]+)/;
/** gRPC says when it gave up: ` (2026-11-30T16:38:23.559Z)`. */
const TIME = / \(\d{4}-\d\d-\d\dT[\d:.]+Z\)$/;

/** @param details `No connection established. Last error: Error: connect ECONNREFUSED ::1:1. Resolution note: ` and the like */
export function connectionProblem(details: string): string {
  if (details === 'Call cancelled' || BROKEN_STREAM.test(details))
    return `it broke the call off (${details})`;
  const [, last, note] = details.match(/Last error: (.*?)\.? *Resolution note: *(.*)$/s) ?? [];
  if (last === undefined) return plain(details);
  // What gRPC says when the proxy, not the server, could not be reached or would not connect.
  if (last === 'undefined')
    return 'the proxy that http_proxy, https_proxy or grpc_proxy names did not connect to it';
  if (last === 'null') return note ? `no connection: ${plain(note)}` : 'no connection';
  return explain(plain(last));
}

/** Without the class of an error before it and the punctuation that gRPC leaves behind it. */
const plain = (text: string): string =>
  oneLine(text)
    .replace(/^Error(?: \[\w+\])?: /, '')
    .replace(TIME, '')
    .replace(/[\s:.]+$/, '');

export const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

function explain(problem: string): string {
  const ofTls = problem.match(OF_OPENSSL)?.[1];
  if (ofTls === 'wrong version number') return 'it does not speak TLS (wrong version number)';
  if (ofTls !== undefined) return `TLS failed (${ofTls})`;
  switch (problem) {
    case 'Protocol error':
      return 'it does not speak gRPC (HTTP/2 protocol error)';
    case 'Failed to connect':
      return 'it closed the connection at once, as a server with TLS does to a client without';
    default:
      return problem;
  }
}
