import { describe, expect, it } from 'vitest';
import { connectionProblem } from './connection-problem.ts';

const noConnection = (last: string, note = '') =>
  `No connection established. Last error: ${last}. Resolution note: ${note}`;
const WRONG_VERSION =
  'Error: 80BC84ACCB7F0000:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/openssl/ssl3_record.c:350:\n';

describe('why there is no connection', () => {
  it.each([
    [noConnection('Error: connect ECONNREFUSED ::1:1'), 'connect ECONNREFUSED ::1:1'],
    [noConnection(WRONG_VERSION), 'it does not speak TLS (wrong version number)'],
    [
      noConnection(
        'Error: 80BC:error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:a.c:1:\n',
      ),
      'TLS failed (sslv3 alert handshake failure)',
    ],
    [
      noConnection(
        "Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames: ",
      ),
      "Hostname/IP does not match certificate's altnames",
    ],
    [
      noConnection('Protocol error (2026-11-30T16:10:08.450Z)'),
      'it does not speak gRPC (HTTP/2 protocol error)',
    ],
    [
      noConnection('Failed to connect (2026-11-30T16:10:08.450Z)'),
      'it closed the connection at once, as a server with TLS does to a client without',
    ],
    [noConnection('null'), 'no connection'],
    [noConnection('null', 'Name resolution failed'), 'no connection: Name resolution failed'],
    [
      noConnection('undefined'),
      'the proxy that http_proxy, https_proxy or grpc_proxy names did not connect to it',
    ],
    ['Name resolution failed for target dns:a:1', 'Name resolution failed for target dns:a:1'],
    ['Connection dropped', 'Connection dropped'],
    ['Call cancelled', 'it broke the call off (Call cancelled)'],
  ])('of %j is said in one line', (details, said) => {
    expect(connectionProblem(details)).toBe(said);
  });
});
