/** The client: connections to one trainer, or to several. */

import { StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import { resolveTarget } from './address.ts';
import { Artifacts } from './artifacts.ts';
import { callOptions, clientOptions, connectOptions } from './check/calls.ts';
import { check } from './check/rule.ts';
import { type ExternalOptions, external } from './external.ts';
import type { ExternalLoop } from './external-loop.ts';
import type { CallOptions, ClientOptions, ConnectOptions } from './options.ts';
import { collect, pages } from './pages.ts';
import { reach } from './reach.ts';
import { decodeProblems, decodeServerInfo, type Problems, type ServerInfo } from './server.ts';
import type { ParameterMap } from './space.ts';
import { Studies } from './studies.ts';
import { Transport } from './transport.ts';
import { checkVersion } from './version.ts';

/** A client of a Glocal trainer, or of several that have the same studies. */
export class GlocalClient implements AsyncDisposable {
  /** Studies: create, validate, get, list. */
  readonly studies: Studies;
  /** Models and data sets of your own: upload, get, list, delete. */
  readonly artifacts: Artifacts;
  /** Where the server is; with several, with commas between them. */
  readonly address: string;
  readonly #transport: Transport;

  /**
   * Connects when the first call is made; {@link connect} does so at once.
   * @throws GlocalError INVALID_ARGUMENT or FAILED_PRECONDITION for options that contradict each other, are malformed,
   *   or would send in the clear to another machine.
   */
  constructor(options: ClientOptions = {}) {
    check([clientOptions, options, 'options']);
    this.#transport = new Transport(resolveTarget(options), options);
    this.address = this.#transport.address;
    this.studies = new Studies(this.#transport);
    this.artifacts = new Artifacts(this.#transport);
  }

  /**
   * A client whose server has answered, and is of a version that goes together with this one.
   * @throws GlocalError UNAVAILABLE, reason UNREACHABLE, naming the address, when it does not in time; IncompatibleServerError;
   *   and as the constructor.
   */
  static async connect(options: ConnectOptions = {}): Promise<GlocalClient> {
    check([connectOptions, options, 'options']);
    const { signal, connectTimeout: timeout = 10_000, ...own } = options;
    const client = new GlocalClient(own);
    const transport = client.#transport;
    try {
      const { version } = await reach(transport, { timeout, signal });
      checkVersion(version, transport.address, transport.log);
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** What a study's `problem` may name: data sets, models, optimizers with their hyperparameters; and those of the loss. */
  async problems(options?: CallOptions): Promise<Problems> {
    check([callOptions, options, 'options']);
    const all = pages(async (pageToken) => {
      const request = { pageSize: 0, pageToken };
      const page = await this.#transport.unary(StudyServiceService.listProblems, request, options);
      return { items: [page], nextPageToken: page.nextPageToken };
    });
    return decodeProblems(await collect(all));
  }

  /** Version, runtime and limits of the server, whether its DMD service answers, and who you are to it. */
  async serverInfo(options?: CallOptions): Promise<ServerInfo> {
    check([callOptions, options, 'options']);
    return decodeServerInfo(await this.#transport.unary(StudyServiceService.getServerInfo, {}, options));
  }

  /**
   * A training loop of your own: makes a study that you train yourself, or goes on with one, and tells step by step which values to train
   * with. The same `requestId`, or `name`, goes on where the loop was, also in a program that was started again.
   * @throws GlocalError INVALID_ARGUMENT with everything that is wrong; with `name` NOT_FOUND, or FAILED_PRECONDITION for a
   *   study that is not external
   */
  async external<P extends ParameterMap>(options: ExternalOptions<P>): Promise<ExternalLoop<P>> {
    return external(this.studies, options);
  }

  /** Ends the connection; calls under way throw CANCELLED, reason CLIENT_CLOSED. */
  close(): void {
    this.#transport.close();
  }

  /** {@link close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}
