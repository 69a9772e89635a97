/**
 * The connections to the servers, which are used in turn. One channel for each address, and not one for all, so that a
 * certificate is checked for the name of its own server, and an address may be a name.
 */

import { Client, connectivityState, type ClientOptions as GrpcOptions } from '@grpc/grpc-js';
import { isLocal, type Target } from './address.ts';
import { encryption } from './credentials.ts';
import type { Log } from './logger.ts';
import type { KeepaliveOptions } from './options.ts';
import { VERSION } from './version.ts';

/** A connection to a server, or to those that a name stands for. */
export interface Channel {
  readonly address: string;
  readonly client: Client;
}

interface ChannelOptions {
  readonly keepalive: KeepaliveOptions;
  /** Of a message; -1 for any. @default what gRPC takes */
  readonly maxReceiveBytes: number | undefined;
  readonly log: Log;
}

export class Channels {
  readonly #channels: readonly Channel[];
  /** Whose turn it is. */
  #next = 0;

  /** @throws GlocalError INVALID_ARGUMENT, reason TLS, for certificates or keys that cannot be used. */
  constructor({ addresses, tls }: Target, { keepalive, maxReceiveBytes, log }: ChannelOptions) {
    const { credentials, serverName } = encryption(tls, log);
    this.#channels = addresses.map((address) => ({
      address,
      client: new Client(address, credentials, {
        ...optionsFor(address, keepalive),
        ...(maxReceiveBytes === undefined ? {} : { 'grpc.max_receive_message_length': maxReceiveBytes }),
        ...(serverName === undefined ? {} : { 'grpc.ssl_target_name_override': serverName }),
      }),
    }));
  }

  /** The next of those that are connected; while none is, the next that may be. */
  next(): Channel {
    const turn = this.#next++;
    const inTurn = this.#channels.map(
      (_, i) => this.#channels[(turn + i) % this.#channels.length] as Channel,
    );
    const [only] = inTurn;
    if (inTurn.length === 1 && only !== undefined) return only;
    // Asking connects.
    const states = inTurn.map(({ client }) => client.getChannel().getConnectivityState(true));
    const ready = states.indexOf(connectivityState.READY);
    const hopeful = states.findIndex((state) => state !== connectivityState.TRANSIENT_FAILURE);
    return inTurn[Math.max(ready >= 0 ? ready : hopeful, 0)] as Channel;
  }

  close(): void {
    for (const { client } of this.#channels) client.close();
  }
}

function optionsFor(address: string, keepalive: KeepaliveOptions): GrpcOptions {
  return {
    'grpc.primary_user_agent': `glocal-sdk/${VERSION}`,
    'grpc.keepalive_time_ms': keepalive.time ?? 30_000,
    'grpc.keepalive_timeout_ms': keepalive.timeout ?? 10_000,
    // Without these a server that comes back is not looked for again for up to two minutes.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 5_000,
    // The addresses of a name are used in turn; one server may have several, as localhost has.
    ...(address.startsWith('dns:') ? { 'grpc.service_config': ROUND_ROBIN } : {}),
    // The variables of proxies are meant for other machines; what is on this one may not be visible to a proxy.
    ...(isLocal(address) ? { 'grpc.enable_http_proxy': 0 } : {}),
  };
}

const ROUND_ROBIN = JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] });
