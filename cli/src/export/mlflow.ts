/** Runs at a tracking server of MLflow, over its REST API (2.0). */

import { CommandError, REFUSED, UNAVAILABLE } from '../exit.ts';
import type { Run } from './run.ts';

/** Figures of one request, as the server allows. */
const MOST_FIGURES = 1_000;
/** Parameters of one request. */
const MOST_PARAMETERS = 100;
/** Letters of a parameter's value, which older servers insist on. */
const LONGEST = 500;

const STATUS: Readonly<Partial<Record<Run['state'], string>>> = {
  SUCCEEDED: 'FINISHED',
  FAILED: 'FAILED',
  INFEASIBLE: 'FAILED',
  CANCELLED: 'KILLED',
};

/** The tag by which a run is found that was exported before. */
const TAG = 'glocal.trial';

/** A tracking server. */
export class MlflowServer {
  readonly #url: URL;

  /** @param uri `http://host:port`. @throws CommandError for what is no such address */
  constructor(uri: string) {
    if (!URL.canParse(uri) || !/^https?:$/.test(new URL(uri).protocol)) {
      throw new CommandError(
        `${uri} is not the address of a tracking server, for instance http://localhost:5000; \`mlflow server\` starts one`,
        REFUSED,
      );
    }
    this.#url = new URL(uri.endsWith('/') ? uri : `${uri}/`);
  }

  /** The experiment of this name, which is made where it is not there. */
  async experiment(name: string): Promise<string> {
    const found = await this.#call('GET', 'experiments/get-by-name', { experiment_name: name });
    if (found !== undefined) return (found.experiment as { experiment_id: string }).experiment_id;
    return (await this.#post('experiments/create', { name })).experiment_id as string;
  }

  /** Writes a run; one that was exported before is replaced. @returns its id */
  async write(experiment: string, run: Run): Promise<string> {
    await this.#remove(experiment, run.trial);
    const created = await this.#post('runs/create', {
      experiment_id: experiment,
      run_name: run.name,
      start_time: run.startTime,
      tags: [
        { key: TAG, value: run.trial },
        { key: 'mlflow.source.name', value: 'glocal' },
      ],
    });
    const id = (created.run as { info: { run_id: string } }).info.run_id;
    const params = Object.entries(run.parameters).map(([key, value]) => ({
      key: key.replaceAll(/[^\w./ -]/g, '_'),
      value: value.slice(0, LONGEST),
    }));
    // JSON has no number for what is not finite, and MLflow no place for it.
    const metrics = [...run.figures].flatMap(([key, points]) =>
      points
        .filter(({ value }) => Number.isFinite(value))
        .map(({ step, value, time }) => ({ key, value, step, timestamp: time })),
    );
    for (let i = 0; i < params.length; i += MOST_PARAMETERS)
      await this.#post('runs/log-batch', { run_id: id, params: params.slice(i, i + MOST_PARAMETERS) });
    for (let i = 0; i < metrics.length; i += MOST_FIGURES)
      await this.#post('runs/log-batch', { run_id: id, metrics: metrics.slice(i, i + MOST_FIGURES) });
    const status = STATUS[run.state];
    await this.#post('runs/update', {
      run_id: id,
      status: status ?? 'RUNNING',
      ...(status !== undefined && run.endTime !== undefined && { end_time: run.endTime }),
    });
    return id;
  }

  async #remove(experiment: string, trial: string): Promise<void> {
    const { runs = [] } = await this.#post('runs/search', {
      experiment_ids: [experiment],
      filter: `tags.\`${TAG}\` = '${trial}'`,
    });
    for (const { info } of runs as { info: { run_id: string } }[])
      await this.#post('runs/delete', { run_id: info.run_id });
  }

  async #post(path: string, body: unknown): Promise<Record<string, unknown>> {
    return (await this.#call('POST', path, body)) ?? {};
  }

  /** Undefined for what is not there. */
  async #call(
    method: 'GET' | 'POST',
    path: string,
    body: unknown,
  ): Promise<Record<string, unknown> | undefined> {
    const url = new URL(`api/2.0/mlflow/${path}`, this.#url);
    if (method === 'GET') url.search = String(new URLSearchParams(body as Record<string, string>));
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        headers: { 'content-type': 'application/json', ...authorization() },
        ...(method === 'POST' && { body: JSON.stringify(body) }),
      });
    } catch (error) {
      const { message } = ((error as Error).cause as Error | undefined) ?? (error as Error);
      throw new CommandError(`${this.#url.origin} cannot be reached: ${message}`, UNAVAILABLE);
    }
    const data = (await response.json().catch(() => ({}))) as Record<string, unknown>;
    if (response.ok) return data;
    if (data.error_code === 'RESOURCE_DOES_NOT_EXIST') return undefined;
    const said = data.message ?? response.statusText;
    throw new CommandError(`MLflow refuses ${path}: ${response.status} ${said}`, REFUSED);
  }
}

/** As MLflow's own client finds it. */
function authorization(): Record<string, string> {
  const {
    MLFLOW_TRACKING_TOKEN: token,
    MLFLOW_TRACKING_USERNAME: user,
    MLFLOW_TRACKING_PASSWORD: password = '',
  } = process.env;
  if (token) return { authorization: `Bearer ${token}` };
  if (user) return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
  return {};
}
