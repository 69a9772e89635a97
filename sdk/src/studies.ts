/** The studies of a server: `client.studies`. */

import { randomUUID } from 'node:crypto';
import { type Study as StudyMessage, StudyState as StudyStates } from '@glocal/proto/glocal/v1/study';
import { StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import {
  callOptions,
  createOptions,
  getOptions,
  listOptions,
  listStudiesOptions,
  resourceName,
} from './check/calls.ts';
import { check } from './check/rule.ts';
import { checkRules } from './check/rules.ts';
import { specification } from './check/specification.ts';
import { enumValue, type StudyState } from './enums.ts';
import { GlocalError } from './error.ts';
import type { CallOptions } from './options.ts';
import { type ListOptions, pages } from './pages.ts';
import { decodeSnapshot, type StudySnapshot } from './snapshot.ts';
import type { ParameterMap, Space } from './space.ts';
import { withNewerParameters } from './space-codec.ts';
import type { CompleteStudySpec, ExternalStudySpec, StudySpec } from './spec.ts';
import { decodeSpec, encodeSpec } from './spec-codec.ts';
import { Study } from './study.ts';
import type { Transport } from './transport.ts';
import { decodeListedTrial, type ListedTrial } from './trial.ts';
import { kindsOf } from './trial-space.ts';

/** Options of `studies.create()`. */
export interface CreateOptions extends CallOptions {
  /**
   * Names this creation, in 1 to 128 characters: the same id with the same specification returns the study made first,
   * also after the caller was started anew. @default a random UUID for each call
   */
  readonly requestId?: string | undefined;
}

/** Options of `studies.get()`. */
export interface GetOptions<P extends ParameterMap = ParameterMap> extends CallOptions {
  /** Gives the study the types of this space; the study must have its parameters. */
  readonly space?: Space<P> | undefined;
}

/** Options of `studies.list()`. */
export interface ListStudiesOptions extends ListOptions {
  /** Only studies in one of these states. @default all */
  readonly states?: readonly Exclude<StudyState, 'UNKNOWN'>[] | undefined;
  /** Only studies with all of these labels; an empty value asks for the key with any value. @default none */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/**
 * The studies of a server. Every method throws a GlocalError INVALID_ARGUMENT, reason NOT_ENCODABLE, for arguments that
 * cannot be sent, before anything is sent.
 */
export class Studies {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Checks a study and starts it. @throws GlocalError INVALID_ARGUMENT with everything that is wrong */
  async create<P extends ParameterMap>(
    spec: StudySpec<P> | ExternalStudySpec<P>,
    options: CreateOptions = {},
  ): Promise<Study<P>> {
    check([specification, spec, 'spec'], [createOptions, options, 'options']);
    const { requestId = randomUUID(), ...call } = options;
    const study = sound(spec);
    const created = await this.#transport.unary(StudyServiceService.createStudy, { study, requestId }, call);
    return new Study<P>(this.#transport, decodeSnapshot(created));
  }

  /** Checks a study as `create` does and returns it with all defaults filled in, and what it will cost. Starts nothing. */
  async validate<P extends ParameterMap>(
    spec: StudySpec<P> | ExternalStudySpec<P>,
    options?: CallOptions,
  ): Promise<CompleteStudySpec<P> & Pick<StudySnapshot, 'predictedCost'>> {
    check([specification, spec, 'spec'], [callOptions, options, 'options']);
    const study = sound(spec);
    const checked = await this.#transport.unary(StudyServiceService.validateStudy, { study }, options);
    return { ...decodeSpec<P>(checked), predictedCost: checked.predictedCost };
  }

  /**
   * A study by its name, `studies/{study}`.
   * @throws GlocalError NOT_FOUND; FAILED_PRECONDITION, reason SPACE_MISMATCH, when it lacks a parameter of `space`.
   */
  async get<P extends ParameterMap = ParameterMap>(
    name: string,
    options: GetOptions<P> = {},
  ): Promise<Study<P>> {
    check([resourceName, name, 'name'], [getOptions, options, 'options']);
    const { space, ...call } = options;
    const found = decodeSnapshot<P>(
      await this.#transport.unary(StudyServiceService.getStudy, { name }, call),
    );
    const there = new Map(kindsOf(found.space.parameters));
    for (const [parameter, kind] of kindsOf(space?.parameters ?? {})) {
      if (there.get(parameter) === kind) continue;
      throw new GlocalError('FAILED_PRECONDITION', `${name} has no ${kind} parameter ${parameter}`, {
        reason: 'SPACE_MISMATCH',
      });
    }
    return new Study(this.#transport, found);
  }

  /** Studies, newest first: all, or those with some state or labels. */
  async *list(options: ListStudiesOptions = {}): AsyncGenerator<Study, void, undefined> {
    check([listStudiesOptions, options, 'options']);
    const { pageSize = 0, states = [], labels = {}, ...call } = options;
    const filter = { states: states.flatMap((state) => enumValue(StudyStates, state) ?? []), labels };
    yield* pages(async (pageToken) => {
      const request = { pageSize, pageToken, ...filter };
      const { studies, nextPageToken } = await this.#transport.unary(
        StudyServiceService.listStudies,
        request,
        call,
      );
      return {
        items: studies.map((study) => new Study(this.#transport, decodeSnapshot(study))),
        nextPageToken,
      };
    });
  }

  /**
   * The trials of all studies, those of the newest study first: figures of many studies with few calls, as the best of them.
   * A trial's name begins with its study's.
   */
  async *trials(options: ListOptions = {}): AsyncGenerator<ListedTrial, void, undefined> {
    check([listOptions, options, 'options']);
    const { pageSize = 0, ...call } = options;
    yield* pages(async (pageToken) => {
      const request = { parent: 'studies/-', pageSize, pageToken };
      const { trials, nextPageToken } = await this.#transport.unary(
        StudyServiceService.listTrials,
        request,
        call,
      );
      return { items: trials.map(decodeListedTrial), nextPageToken };
    });
  }
}

/**
 * The message of a specification.
 * @throws GlocalError INVALID_ARGUMENT with all rules that it breaks
 */
function sound<P extends ParameterMap>(spec: StudySpec<P> | ExternalStudySpec<P>): StudyMessage {
  const study = encodeSpec(spec);
  checkRules(study);
  return { ...study, space: study.space && withNewerParameters(study.space, spec.space) };
}
