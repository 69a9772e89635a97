/** Who a request is of: the token of its cookie, or whom the dashboard was started for. */

import { UnauthenticatedError } from '@glocal/sdk';
import { type Context, Hono } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { createMiddleware } from 'hono/factory';
import type { SessionInfo } from '../api.ts';
import { bodyOf } from './body.ts';
import type { Caller } from './caller.ts';
import type { Callers } from './callers.ts';
import { faultOf } from './fault.ts';

/** What routes find in their context. */
export interface Known {
  readonly Variables: { readonly caller: Caller };
}

export interface LoginOptions {
  readonly callers: Callers;
  /** Whether a token has to be given. */
  readonly required: boolean;
  /** Whether cookies travel encrypted. */
  readonly secure: boolean;
  readonly address: string;
  readonly version: string;
}

/** For a month; a token that the trainer does not take any more is worth nothing before. */
const AGE = 30 * 86_400;

/** Browsers send cookies of one host to all of its ports: those of another dashboard have another name. */
function cookieName(c: Context, secure: boolean): string {
  const port = /:(\d+)$/.exec(c.req.header('host') ?? '')?.[1] ?? (secure ? '443' : '80');
  // A browser takes a cookie with this prefix from this host alone, and encrypted.
  return `${secure ? '__Host-' : ''}glocal-${port}`;
}

const options = (secure: boolean) => ({ path: '/', httpOnly: true, sameSite: 'Strict', secure }) as const;

const tokenOf = (c: Context, secure: boolean): string | undefined => getCookie(c, cookieName(c, secure));

/** Finds the caller, or answers 401. */
export const known = ({ callers, required, secure }: LoginOptions) =>
  createMiddleware<Known>(async (c, next) => {
    if (!required) {
      c.set('caller', callers.own());
      return next();
    }
    const token = tokenOf(c, secure);
    if (token === undefined) throw new UnauthenticatedError('give your token first', { reason: 'NO_TOKEN' });
    c.set('caller', await callers.of(token));
    return next();
  });

/** `/api/session`: who one is, giving a token, and leaving. */
export function loginRoutes({ callers, required, secure, address, version }: LoginOptions): Hono {
  const info = (login: SessionInfo['login']): SessionInfo => ({ version, address, login });
  return new Hono()
    .get('/', async (c) => {
      if (!required) return c.json(info('none'));
      const token = tokenOf(c, secure);
      if (token === undefined) return c.json(info('needed'));
      try {
        await callers.of(token);
        return c.json(info('done'));
      } catch (error) {
        // A trainer that is away says nothing against the token.
        return c.json(info(faultOf(error).code === 'UNAUTHENTICATED' ? 'needed' : 'done'));
      }
    })
    .post('/', async (c) => {
      const { token } = await bodyOf<{ readonly token?: unknown }>(c);
      if (typeof token !== 'string' || !/^[\x21-\x7e]{1,8192}$/.test(token)) {
        throw new UnauthenticatedError('that is no token: `glocal token` prints one', { reason: 'NO_TOKEN' });
      }
      await callers.of(token);
      setCookie(c, cookieName(c, secure), token, { ...options(secure), maxAge: AGE });
      return c.json(info('done'));
    })
    .delete('/', (c) => {
      deleteCookie(c, cookieName(c, secure), options(secure));
      return c.json(info(required ? 'needed' : 'none'));
    });
}
