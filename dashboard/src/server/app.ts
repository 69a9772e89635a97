/** All routes, with what stands before each of them. */

import { Hono } from 'hono';
import { compress } from 'hono/compress';
import { HTTPException } from 'hono/http-exception';
import type { Fault } from '../api.ts';
import type { Callers } from './callers.ts';
import { faultOf, statusOf } from './fault.ts';
import { onlyOwnNames, onlyOwnPage, onlySmallBodies, securityHeaders } from './guard.ts';
import { type Known, known, loginRoutes } from './login.ts';
import type { PageFile } from './page-files.ts';
import { pageRoutes } from './page-routes.ts';
import { studyRoutes } from './study-routes.ts';
import { lookingOf, tabStream } from './tab-stream.ts';

/** Bytes of a request: a specification with its space. */
const MOST_BYTES = 1 << 20;

export interface AppOptions {
  readonly callers: Callers;
  readonly page: ReadonlyMap<string, PageFile>;
  readonly login: boolean;
  readonly secure: boolean;
  /** Of the trainer. */
  readonly address: string;
  readonly version: string;
  readonly log: (line: string) => void;
}

export function dashboardApp({ callers, page, login, secure, address, version, log }: AppOptions): Hono {
  const session = { callers, required: login, secure, address, version };
  const app = new Hono();
  app.use(securityHeaders());
  if (!login) app.use(onlyOwnNames());
  const api = new Hono<Known>();
  api.use(onlyOwnPage());
  api.use(onlySmallBodies(MOST_BYTES));
  api.use(async (c, next) => {
    await next();
    if (!c.res.headers.has('cache-control')) c.header('cache-control', 'no-store');
  });
  api.route('/session', loginRoutes(session));
  api.use(known(session));
  // On this machine bytes cost less than compressing them.
  if (secure) api.use(compress());
  api.get('/server', async (c) => c.json(await c.var.caller.client.serverInfo()));
  api.get('/problems', async (c) => c.json(await c.var.caller.client.problems()));
  api.get('/events', (c) => tabStream(c, c.var.caller, lookingOf(c)));
  api.route('/studies', studyRoutes());
  api.all('*', (c) => {
    const error: Fault = { code: 'NOT_FOUND', message: 'there is no such address', fieldViolations: [] };
    return c.json({ error }, 404);
  });
  app.route('/api', api);
  app.route('/', pageRoutes(page));
  app.onError((error, c) => {
    if (error instanceof HTTPException) return error.getResponse();
    const isRequest = error instanceof SyntaxError;
    const fault: Fault = isRequest
      ? { code: 'INVALID_ARGUMENT', message: 'the request is no JSON', fieldViolations: [] }
      : faultOf(error);
    if (fault.code === 'INTERNAL') log(`${c.req.method} ${c.req.path}: ${error.stack ?? error}`);
    return c.json({ error: fault }, statusOf(fault));
  });
  return app;
}
