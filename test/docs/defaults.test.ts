/** What the SDK and the documents say of defaults is what the contract says. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DescField } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { messageNamed } from '../support/descriptors.ts';
import { stated, statedIn, valueIn } from '../support/stated-defaults.ts';
import { TestTrainer } from '../support/trainer.ts';

const root = join(import.meta.dirname, '../..');

describe('the SDK', () => {
  const source = ['spec.ts', 'space.ts']
    .map((file) => readFileSync(join(root, 'sdk/src', file), 'utf8'))
    .join('\n');

  /** Comment of a member of an interface, on one line. Undefined where there is no such member. */
  function commentIn(type: string, member: string): string | undefined {
    const [, body = ''] = source.match(new RegExp(`interface ${type}\\b[^{]*{\n(.*?)\n}`, 's')) ?? [];
    const [, comment] =
      body.match(new RegExp(`/\\*\\*((?:(?!\\*/).)*)\\*/\\s*readonly ${member}\\?:`, 's')) ?? [];
    return comment?.replace(/\n\s*\* ?/g, ' ').trim();
  }

  /** A statement of the contract as the SDK says it: of studies, names of values in lower case. */
  function inSdk(statement: string, { enum: enumeration }: DescField): string {
    const names = new Map(
      enumeration?.values.map(({ localName }) => [localName, `'${localName.toLowerCase()}'`]),
    );
    const [always = '', ...cases] = statement.split('; ');
    const parts = cases.map((part) => {
      const [condition = '', value = ''] = part.split(': ');
      return {
        condition: condition.replace(/\b[A-Z_]{2,}\b/g, (name) => `\`${name.toLowerCase()}\``),
        value,
      };
    });
    const value = parts.find(({ condition }) => condition === 'in a study')?.value ?? always;
    const others = parts.filter(({ condition }) => condition !== 'in a study');
    const [, seconds] = value.match(/^(\d+) s$/) ?? [];
    const inMilliseconds = seconds && `${Number(seconds) * 1_000}`;
    return [
      names.get(value) ?? inMilliseconds ?? value,
      ...others.map((other) => `${other.condition}: ${names.get(other.value) ?? other.value}`),
    ].join('; ');
  }

  /** Said by the type: a vector has groups, or a size. Said in another place: rows of a decomposition are as far apart as `method.stride`. */
  const ELSEWHERE = ['FloatParameter.grouping', 'FloatParameter.size', 'DmdOptions.stride'];
  const inSpecification = [...stated, ...statedIn(messageNamed('Study'))];

  it.each(
    inSpecification
      .map(
        ({ message, field, statement }) =>
          [`${message.name}.${field.localName}`, message, field, statement] as const,
      )
      .filter(([name]) => !ELSEWHERE.includes(name)),
  )('says the same of %s', (_, message, field, statement) => {
    const types = message.name === 'Study' ? ['StudySpec', 'BaseStudySpec'] : [message.name];
    const comment = types.map((type) => commentIn(type, field.localName)).find((text) => text !== undefined);
    expect(comment?.match(/@default (.*)$/)?.[1]).toBe(inSdk(statement, field));
  });
});

describe('the documents', () => {
  const read = (file: string): string => readFileSync(join(root, file), 'utf8');
  const defaultOf = (message: string, name: string): string => {
    const found = stated.find(({ message: { name: of }, field }) => of === message && field.name === name);
    if (found === undefined) throw new Error(`the contract states no default of ${message}.${name}`);
    return found.statement;
  };

  it('name the default variant of both, and where hypergradients are taken', () => {
    const variant = defaultOf('DmdOptions', 'variant');
    const ofService = valueIn(variant, () => false);
    const ofStudies = valueIn(variant, () => true);
    const says = (file: string, text: string): void =>
      expect(read(file).replace(/\s+/g, ' ').includes(text), `${file} says "${text}"`).toBe(true);
    says('docs/method.md', `${ofStudies} is the default of studies, ${ofService} that of the DMD service`);
    says(
      'docs/method.md',
      `\`${defaultOf('Method', 'evaluation')}\` is the default of studies, with ${ofStudies}`,
    );
    says('docs/dmd.md', `| ${ofService} (default of the service) |`);
  });

  it("of the SDK's README give the defaults of a study", async () => {
    await using trainer = await TestTrainer.start();
    const complete = await trainer.client.studies.validate({
      space: { parameters: { lr: { kind: 'float', min: 0, max: 1, init: 0.1 } } },
      problem: { dataset: 'fashion-mnist-10k', model: 'logistic', optimizer: 'sgd' },
      training: { steps: 100 },
      // One that says something of its windows, so that what costs is not chosen.
      method: { estimator: 'glocal', window: 50 },
    });
    const { problem, training, method } = complete;
    const values: Record<string, unknown> = {
      ...problem,
      ...training,
      ...method,
      ...method.dmd,
      ...method.outer,
      trainings: 10,
    };
    const [, table = ''] = read('sdk/README.md').match(/\n\| `StudySpec`.*?\n(.*?)\n\n/s) ?? [];
    const found: string[] = [];
    const compare = (path: string, text: string): void => {
      const name = path.split('.').at(-1) ?? '';
      if (!(name in values)) return;
      found.push(name);
      expect(JSON.parse(text.replace('−', '-').replaceAll("'", '"')), `${path} in sdk/README.md`).toEqual(
        values[name],
      );
    };
    const literal = "(-?[\\d.]+(?:e-?\\d+)?|'\\w+'|true|false|\\[0\\])";
    for (const row of table.split('\n')) {
      const [, path] = row.match(/^\| `([\w.]+)`/) ?? [];
      const [, value] = row.match(new RegExp(`^\\|[^|]*\\| *\`?${literal}\`? *\\|`)) ?? [];
      if (path !== undefined && value !== undefined) compare(path, value);
      for (const [, inner = '', text = ''] of row.matchAll(
        new RegExp(`\`([\\w.]+)\`(?: \\(|, )\`?${literal}\`?(?=[;, )])`, 'g'),
      )) {
        compare(inner, text);
      }
    }
    expect(found).toEqual(
      expect.arrayContaining([
        'window',
        'sigma',
        'evaluation',
        'averaging',
        'batchSize',
        'delays',
        'trainings',
      ]),
    );
  });
});
