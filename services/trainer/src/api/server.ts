/** The gRPC server: StudyService, health and reflection on one port. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import { logVerbosity, Server, type ServiceDefinition, setLogVerbosity } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import type { Metrics } from '../metrics/metrics.ts';
import type { Security } from '../security/security.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { guarded } from './guard.ts';
import { addService } from './handlers.ts';
import { addHealth, STUDY_SERVICE } from './health.ts';
import { admitAnybody, authenticate } from './interceptors/authenticate.ts';
import { countCalls } from './interceptors/count-calls.ts';
import { endWhenStopping } from './interceptors/end-when-stopping.ts';
import { logCalls } from './interceptors/log-calls.ts';
import { requestIds } from './interceptors/request-id.ts';
import { shortTrailers } from './interceptors/short-trailers.ts';
import { traceCalls } from './interceptors/trace-calls.ts';
import { bind } from './listen.ts';
import { Owners } from './owners.ts';
import { type StudyServiceParts, studyService } from './study-service.ts';

/** Of the contract and of the health service, or clients are told that this one is not exposed. */
const DESCRIPTORS = ['#descriptors/contract.binpb', '#descriptors/health.binpb'];

const DRAIN_MS = 5_000;

/** What the server works with. */
export interface ServerParts extends StudyServiceParts {
  readonly security: Omit<Security, typeof Symbol.dispose>;
  /** Undefined where nobody looks. */
  readonly metrics?: Metrics | undefined;
  readonly tracing?: Tracing | undefined;
}

/** A running server. */
export interface ApiServer {
  /** host:port that it listens on. */
  readonly address: string;
  /** Says NOT_SERVING from now on, so that nobody new is sent here; everything else goes on. */
  retire(): void;
  /** Retires, ends streams, lets other calls finish for a while, then cuts them. */
  stop(): Promise<void>;
}

/**
 * Listens.
 * @param listen host:port; port 0 for any free one.
 * @throws ListenError
 */
export async function startServer(listen: string, parts: ServerParts): Promise<ApiServer> {
  // What it prints about an error comes with the error, too. Whoever asks for its log gets it.
  if (process.env.GRPC_VERBOSITY === undefined) setLogVerbosity(logVerbosity.NONE);
  const { log, store, metrics, tracing } = parts;
  const { credentials, authenticator, audit } = parts.security;
  const retiring = new AbortController();
  const stopping = new AbortController();
  const server = new Server({
    interceptors: [
      requestIds,
      ...(metrics === undefined ? [] : [countCalls(metrics)]),
      ...(tracing === undefined ? [] : [traceCalls(tracing, pathsOf(StudyServiceService))]),
      logCalls(log),
      shortTrailers,
      endWhenStopping(stopping.signal, (path) => path.startsWith(`/${STUDY_SERVICE}/`)),
      authenticator === undefined
        ? admitAnybody
        : authenticate({ authenticator, audit, log, stopping: stopping.signal }),
    ],
    'grpc.max_receive_message_length': parts.info.limits.maxMessageBytes,
    // Off by default in grpc-js: without it a client that vanished is held for ever.
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
  });
  const owners = new Owners(store);
  const guards = { ownerOf: (name: string) => owners.of(name), audit };
  addService(server, StudyServiceService, guarded(StudyServiceService, studyService(parts), guards), {
    log,
    stopping: stopping.signal,
  });
  addHealth(server, { store, dmd: parts.dmd, retiring: retiring.signal });
  const services = [STUDY_SERVICE, 'grpc.health.v1.Health'];
  new ReflectionService(describedFiles(), { services }).addToServer(server);

  const address = await bind(server, listen, credentials, 'listen');
  return {
    address,
    retire: () => retiring.abort(),
    stop: async () => {
      // Before the streams, so that watches of the health hear it before they end.
      retiring.abort();
      stopping.abort();
      const cut = setTimeout(() => server.forceShutdown(), DRAIN_MS);
      await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      clearTimeout(cut);
    },
  };
}

const pathsOf = (service: ServiceDefinition): ReadonlySet<string> =>
  new Set(Object.values(service).map(({ path }) => path));

/**
 * The .proto files as buf compiled them, with all that they import. What proto-loader makes of them is not what is written:
 * it puts the files of a package together, and leaves imports out that clients then ask for in vain.
 */
function describedFiles(): PackageDefinition {
  const files = DESCRIPTORS.flatMap((name) => {
    const set = readFileSync(fileURLToPath(import.meta.resolve(name)));
    return fromBinary(FileDescriptorSetSchema, set).file;
  });
  const fileDescriptorProtos = files.map((file) => Buffer.from(toBinary(FileDescriptorProtoSchema, file)));
  // Reflection uses nothing of a definition but its descriptors.
  return { files: { fileDescriptorProtos } } as unknown as PackageDefinition;
}
