/** For tests of methods: real servers that have some of them, and let everybody call. */

import { Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';
import { pino } from 'pino';
import { addService, type HandlerOptions, type Methods } from './handlers.ts';
import { admitAnybody } from './interceptors/authenticate.ts';
import { requestIds } from './interceptors/request-id.ts';

/**
 * @param methods of the service; it is offered without those that are missing.
 * @param cleanUp the server ends with it.
 * @returns host:port.
 */
export async function serve<Service extends ServiceDefinition>(
  service: Service,
  methods: Partial<Methods<Service>>,
  cleanUp: DisposableStack,
  options: Partial<HandlerOptions> = {},
): Promise<string> {
  const server = new Server({ interceptors: [requestIds, admitAnybody] });
  const offered = Object.entries(service).filter(([name]) => name in methods);
  addService(server, Object.fromEntries(offered) as Service, methods as Methods<Service>, {
    log: pino({ level: 'silent' }),
    stopping: new AbortController().signal,
    ...options,
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  cleanUp.defer(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}
