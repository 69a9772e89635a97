/** What every answer carries, and which requests are heard at all. */

import type { Context, MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import type { Fault } from '../api.ts';
import { isLoopback } from './options.ts';

/** Nothing of another host, nothing inline, in nobody's frame. */
export const securityHeaders = (): MiddlewareHandler =>
  secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", 'data:', 'blob:'],
      connectSrc: ["'self'"],
      fontSrc: ["'self'"],
      manifestSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
    crossOriginOpenerPolicy: 'same-origin',
    crossOriginResourcePolicy: 'same-origin',
    referrerPolicy: 'no-referrer',
    xFrameOptions: 'DENY',
    strictTransportSecurity: false,
  });

const refuse = (c: Context, message: string) => {
  const fault: Fault = { code: 'PERMISSION_DENIED', reason: 'ORIGIN', message, fieldViolations: [] };
  return c.json({ error: fault }, 403);
};

/**
 * Without a login the address is all that protects: a page elsewhere may have its own name point to this machine, so that only names
 * of this machine are answered.
 */
export const onlyOwnNames = (): MiddlewareHandler => async (c, next) => {
  const host = hostOf(c.req.header('host') ?? '');
  if (!isLoopback(host)) return refuse(c, `this dashboard is not called ${host}`);
  return next();
};

/** What changes something has to come from our own page: browsers say where a request comes from. */
export const onlyOwnPage = (): MiddlewareHandler => async (c, next) => {
  if (c.req.method === 'GET' || c.req.method === 'HEAD') return next();
  const origin = c.req.header('origin');
  const site = c.req.header('sec-fetch-site');
  const foreign =
    (origin !== undefined && originHost(origin) !== c.req.header('host')) ||
    (site !== undefined && site !== 'same-origin');
  // A form of another page cannot set this type without asking first, which nobody answers.
  const isJson = c.req.header('content-type')?.startsWith('application/json') ?? false;
  if (foreign || !isJson) return refuse(c, 'changes are made by this page alone');
  return next();
};

/** What is sent says how long it is, which Node holds it to. */
export const onlySmallBodies =
  (most: number): MiddlewareHandler =>
  async (c, next) => {
    const length = Number(c.req.header('content-length') ?? 0);
    if (length <= most && c.req.header('transfer-encoding') === undefined) return next();
    const message = `a request has at most ${most} bytes, and says how many`;
    const fault: Fault = { code: 'INVALID_ARGUMENT', reason: 'SIZE', message, fieldViolations: [] };
    return c.json({ error: fault }, 413);
  };

function hostOf(header: string): string {
  return header.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}

function originHost(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
