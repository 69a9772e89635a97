/** The hyperparameters of a driven trial as a point: one unconstrained coordinate for each component that moves. */

import { type Coordinate, linear, log, logit, networkWeight } from '@glocal/trainer/outer';
import { type FieldViolation, GlocalError } from './error.ts';
import type { Parameter, ParameterMap } from './space.ts';
import type { NewValues, SentValues } from './space-values.ts';
import type { TrialSpace } from './trial.ts';
import { parametersAt } from './trial-space.ts';

/** The server's own, so that a point means the same on both sides. */
const SCALES = { linear, log, logit } as const;

/** One component that moves. */
interface Axis {
  readonly name: string;
  /** Its position in a vector; undefined where there is one value. */
  readonly position: number | undefined;
  readonly coordinate: Coordinate;
  /** Where it is now. */
  readonly value: number;
}

/** Where a trial is during one window. */
export interface Whereabouts<P extends ParameterMap = ParameterMap> {
  /** Index of the outer step. */
  readonly index: number;
  readonly values: SentValues<P>;
}

/** A point of the space around the values of a window. */
export class SearchPoint<P extends ParameterMap = ParameterMap> {
  readonly #trial: TrialSpace;
  readonly #at: Whereabouts<P>;
  #known: readonly Axis[] | undefined;

  constructor(trial: TrialSpace, at: Whereabouts<P>) {
    this.#trial = trial;
    this.#at = at;
  }

  /**
   * @throws GlocalError FAILED_PRECONDITION, reason VECTORS_LEFT_OUT; INVALID_ARGUMENT, reason NOT_ENCODABLE, naming values that
   *   `set` would be refused for
   */
  pointOf(values?: NewValues<P>): Float64Array {
    const given: NewValues = values ?? {};
    const violations: FieldViolation[] = [];
    const point = Float64Array.from(this.#axes, ({ name, position, coordinate, value }) => {
      const other = given[name];
      const chosen = typeof other === 'object' ? other[position ?? 0] : other;
      if (chosen === undefined) return pointNear(coordinate, value);
      try {
        return coordinate.toUnconstrained(chosen);
      } catch (error) {
        const field = typeof other === 'object' ? `${name}[${position ?? 0}]` : name;
        violations.push({ field, description: (error as Error).message });
        return Number.NaN;
      }
    });
    if (violations.length > 0) throw GlocalError.invalid('NOT_ENCODABLE', violations);
    return point;
  }

  /** @throws GlocalError INVALID_ARGUMENT for a point of another length, or one that is not finite */
  valuesAt(point: ArrayLike<number>): NewValues<P> {
    const axes = this.#axes;
    if (point.length !== axes.length || !Array.from(point).every(Number.isFinite)) {
      const description = `is not one of ${axes.length} finite numbers, one for each component that moves`;
      throw GlocalError.invalid('NOT_ENCODABLE', [{ field: 'point', description }]);
    }
    const values: Record<string, number> = {};
    const vectors: Record<string, number[]> = {};
    for (const [k, { name, position, coordinate, value }] of axes.entries()) {
      const phi = point[k] as number;
      // There and back costs a digit: what does not move stays as it is.
      const natural = phi === pointNear(coordinate, value) ? value : coordinate.toNatural(phi);
      if (position === undefined) values[name] = natural;
      else {
        vectors[name] ??= [];
        vectors[name].push(natural);
      }
    }
    return { ...values, ...vectors } as NewValues<P>;
  }

  get #axes(): readonly Axis[] {
    const { space, choices } = this.#trial;
    this.#known ??= [...parametersAt(space, choices)].flatMap(([name, parameter]) =>
      this.#axesOf(name, parameter),
    );
    return this.#known;
  }

  #axesOf(name: string, parameter: Parameter): Axis[] {
    const coordinate = coordinateOf(parameter);
    const values: unknown = this.#at.values;
    if (coordinate === undefined) return [];
    const value = (values as Readonly<Record<string, number | readonly number[] | undefined>>)[name];
    if (value === undefined) throw this.#leftOut(name);
    if (typeof value === 'number') return [{ name, position: undefined, coordinate, value }];
    return value.map((entry, position) => ({ name, position, coordinate, value: entry }));
  }

  #leftOut(name: string): GlocalError {
    const { index } = this.#at;
    return new GlocalError(
      'FAILED_PRECONDITION',
      `outer step ${index} is too large for a message, which came without the values of ${name}: accept(), step() or hold() it`,
      { reason: 'VECTORS_LEFT_OUT' },
    );
  }
}

/** Of a value that the server sent: one of an older version may be at a bound, which rounding has brought it to. */
const pointNear = (coordinate: Coordinate, value: number): number =>
  coordinate.toUnconstrained(coordinate.nearest(value));

/** Undefined for what hypergradients do not move. */
function coordinateOf(parameter: Parameter): Coordinate | undefined {
  switch (parameter.kind) {
    case 'float':
    case 'vector':
      return SCALES[parameter.scale ?? 'logit'](parameter.min, parameter.max);
    case 'network':
      return networkWeight;
    default:
      return undefined;
  }
}
