/** Starts a study: a form made of what the server offers, with the same as TypeScript and YAML beside it. */

import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Fault, SpecificationCheck, SpecificationTexts, StudyRow } from '../../api.ts';
import { cost, count, words } from '../format.ts';
import { Choice, CodeBlock, FaultNote, Section, Waiting } from '../parts/common.tsx';
import { type Language, LanguageTabs } from '../parts/language-tabs.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { ask, faultOf, post } from '../state/http.ts';
import { go, place, setQuery, studyPath } from '../state/router.ts';

interface Hyperparameter {
  readonly name: string;
  readonly description: string;
  readonly min: number;
  readonly max: number;
  readonly defaultValue?: number;
  readonly groupings: readonly string[];
  readonly setting: boolean;
}
interface Named {
  readonly id: string;
  readonly description: string;
}
interface Catalogue {
  readonly datasets: readonly (Named & { readonly trainExamples: number })[];
  readonly models: readonly (Named & { readonly parameters: number })[];
  readonly optimizers: readonly (Named & { readonly hyperparameters: readonly Hyperparameter[] })[];
  readonly lossHyperparameters: readonly Hyperparameter[];
  readonly modules: readonly (Named & { readonly hyperparameters: readonly Hyperparameter[] })[];
}

/** How a hyperparameter is treated: left to its default, kept at a value, or moved. */
type Treatment = 'default' | 'fixed' | 'float' | 'layer' | 'class';
interface HyperparameterChoice {
  readonly how: Treatment;
  readonly min: string;
  readonly max: string;
  readonly init: string;
  readonly scale: 'log' | 'logit' | 'linear';
}

interface Form {
  readonly displayName: string;
  readonly labels: string;
  readonly module: string;
  readonly dataset: string;
  readonly model: string;
  readonly optimizer: string;
  readonly batchSize: string;
  readonly steps: string;
  readonly seeds: string;
  readonly estimator: string;
  readonly overhead: string;
  readonly mode: 'managed' | 'driven';
  readonly parameters: Readonly<Record<string, HyperparameterChoice>>;
}

const ESTIMATORS = [
  ['glocal', 'glocal: where the hypergradients are heading'],
  ['mean', 'mean of the window'],
  ['median', 'median of the window'],
  ['local', 'local: the last one'],
  ['fixed', 'fixed: nothing moves'],
] as const;

/** Where hyperparameters that studies often move begin, and between which bounds. */
const START: Readonly<Record<string, Partial<HyperparameterChoice>>> = {
  lr: { how: 'float', min: '0.0001', max: '1', init: '0.01', scale: 'log' },
  momentum: { how: 'float', min: '0', max: '1', init: '0.1', scale: 'logit' },
  beta: { how: 'float', min: '0', max: '1', init: '0.9', scale: 'logit' },
  weightDecay: { how: 'float', min: '0', max: '1', init: '0.001', scale: 'logit' },
};

export function CreatePage() {
  const from = place.value.query.get('from');
  const [catalogue, setCatalogue] = useState<Catalogue | undefined>(undefined);
  const [fault, setFault] = useState<Fault | undefined>(undefined);
  const load = () => {
    ask<Catalogue>('/api/problems').then(
      (found) => {
        setCatalogue(found);
        setFault(undefined);
      },
      (error: unknown) => setFault(faultOf(error)),
    );
  };
  useEffect(() => {
    load();
  }, []);
  if (fault) return <FaultNote fault={fault} onRetry={load} />;
  if (catalogue === undefined) return <Waiting what="what there is to train" />;
  return <Creation key={from ?? ''} catalogue={catalogue} from={from} />;
}

function Creation({ catalogue, from }: { readonly catalogue: Catalogue; readonly from: string | null }) {
  const asText = place.value.query.get('as') === 'yaml' || from !== null;
  const [form, setForm] = useState<Form>(() => formOf(catalogue));
  const [yaml, setYaml] = useState('');
  const [check, setCheck] = useState<SpecificationCheck | undefined>(undefined);
  const [fault, setFault] = useState<Fault | undefined>(undefined);
  const [language, setLanguage] = useState<Language>('typescript');
  const [busy, setBusy] = useState(false);
  // The same id with the same study makes one, however often somebody presses the button.
  const [request, setRequest] = useState(requestId);
  useEffect(() => {
    if (from === null) return;
    ask<SpecificationTexts>(`/api/studies/${from}/texts`).then(
      (texts) => setYaml(texts.yaml),
      (error: unknown) => setFault(faultOf(error)),
    );
  }, [from]);
  const body = useMemo(
    () => (asText ? { yaml } : { spec: specificationOf(form, catalogue) }),
    [asText, yaml, form, catalogue],
  );
  useEffect(() => {
    if (asText && yaml === '') return;
    setRequest(requestId());
    let isCurrent = true;
    const timer = setTimeout(() => {
      post<SpecificationCheck>('/api/studies/check', body).then(
        (found) => {
          if (!isCurrent) return;
          setCheck(found);
          setFault(undefined);
        },
        (error: unknown) => isCurrent && setFault(faultOf(error)),
      );
    }, 300);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [body]);
  const create = async () => {
    setBusy(true);
    try {
      const study = await post<StudyRow>('/api/studies', body, { 'x-request-id': request });
      go(studyPath(study.name));
    } catch (error) {
      setFault(faultOf(error));
      setBusy(false);
    }
  };
  const toText = () => {
    setYaml(check?.texts?.yaml ?? '');
    setQuery({ as: 'yaml' });
  };
  const texts = check?.texts;
  return (
    <form
      class="create"
      onSubmit={(event) => {
        event.preventDefault();
        void create();
      }}
    >
      <PageHead title="New study">
        <div class="buttons">
          {asText ? (
            <a class="button" href="/create">
              As a form
            </a>
          ) : (
            <button type="button" onClick={toText} disabled={texts === undefined}>
              As YAML
            </button>
          )}
        </div>
      </PageHead>
      <div class="halves">
        <div>
          {asText ? (
            <Section title="Specification" about="YAML, or JSON; all that the SDK knows may be said.">
              <label class="hidden" for="yaml">
                Specification
              </label>
              <textarea
                id="yaml"
                rows={26}
                spellcheck={false}
                value={yaml}
                onInput={(event) => setYaml(event.currentTarget.value)}
              />
            </Section>
          ) : (
            <Fields form={form} catalogue={catalogue} onChange={setForm} fault={check?.fault} />
          )}
        </div>
        <div class="stays">
          <Section
            title="The same elsewhere"
            tools={<LanguageTabs first="typescript" chosen={language} choose={setLanguage} />}
          >
            {texts ? (
              <CodeBlock text={texts[language]} label={language} />
            ) : (
              <p class="muted">When the specification can be read.</p>
            )}
          </Section>
          {check?.fault && <FaultNote fault={check.fault} />}
          {fault && <FaultNote fault={fault} />}
          <p aria-live="polite">
            {check?.predictedCost !== undefined && !check.fault && (
              <>
                Each trial costs about <b>{cost(check.predictedCost)}</b> a training without hypergradients.
              </>
            )}
          </p>
          <button
            type="submit"
            class="primary"
            disabled={busy || check === undefined || check.fault !== undefined}
          >
            Start the study
          </button>
        </div>
      </div>
    </form>
  );
}

/** Also where the page comes unencrypted, and `crypto.randomUUID` is not there. */
const requestId = (): string =>
  Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('-');

function formOf({ datasets, models, optimizers, modules }: Catalogue): Form {
  const has = (list: readonly Named[], id: string): string =>
    list.some((one) => one.id === id) ? id : (list[0]?.id ?? '');
  return {
    displayName: '',
    labels: '',
    module: datasets.length === 0 ? (modules[0]?.id ?? '') : '',
    dataset: has(datasets, 'fashion-mnist-10k'),
    model: has(models, 'lenet'),
    optimizer: has(optimizers, 'schedule-free'),
    batchSize: '',
    steps: '1000',
    seeds: '0',
    estimator: 'glocal',
    overhead: '',
    mode: 'managed',
    parameters: {},
  };
}

const choiceOf = (form: Form, { name, min, max, defaultValue }: Hyperparameter): HyperparameterChoice => {
  const chosen = form.parameters[name];
  const suggested = START[name];
  return {
    how: 'default',
    min: String(suggested?.min ?? min),
    max: String(suggested?.max ?? Math.min(max, 1e6)),
    init: String(suggested?.init ?? defaultValue ?? ''),
    scale: 'logit',
    ...suggested,
    ...chosen,
  };
};

const hyperparametersOf = (
  form: Form,
  { optimizers, lossHyperparameters, modules }: Catalogue,
): readonly Hyperparameter[] => {
  const ofOptimizer = optimizers.find(({ id }) => id === form.optimizer)?.hyperparameters ?? [];
  const ofLoss =
    form.module === ''
      ? lossHyperparameters
      : (modules.find(({ id }) => id === form.module)?.hyperparameters ?? []);
  return [...ofOptimizer, ...ofLoss].filter(({ name }) => name !== 'reweighting');
};

function specificationOf(form: Form, catalogue: Catalogue): unknown {
  const number = (text: string): number | undefined => (text.trim() === '' ? undefined : Number(text));
  const space = Object.fromEntries(
    hyperparametersOf(form, catalogue).flatMap((one): [string, unknown][] => {
      const { how, min, max, init, scale } = choiceOf(form, one);
      if (how === 'default') return [];
      if (how === 'fixed') return [[one.name, number(init)]];
      const inits = init
        .split(/[\s,]+/)
        .filter((text) => text !== '')
        .map(Number);
      const moving = {
        min: number(min),
        max: number(max),
        init: inits.length === 1 ? inits[0] : inits,
        scale,
      };
      return [[one.name, how === 'float' ? moving : { per: how, ...moving }]];
    }),
  );
  const labels = Object.fromEntries(
    form.labels
      .split(',')
      .map((pair) => pair.trim())
      .filter((pair) => pair !== '')
      .map((pair) => [pair.split('=')[0]?.trim(), pair.split('=').slice(1).join('=').trim()]),
  );
  const batchSize = number(form.batchSize);
  const overhead = form.overhead === 'exact' ? 'exact' : number(form.overhead);
  return {
    ...(form.displayName !== '' && { displayName: form.displayName }),
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(form.mode === 'driven' && { mode: 'driven' }),
    space,
    problem: {
      ...(form.module === '' ? { dataset: form.dataset, model: form.model } : { module: form.module }),
      optimizer: form.optimizer,
      ...(batchSize !== undefined && { batchSize }),
    },
    training: {
      steps: number(form.steps),
      seeds: form.seeds
        .split(/[\s,]+/)
        .filter((text) => text !== '')
        .map(Number),
    },
    method: {
      estimator: form.estimator,
      ...(overhead !== undefined && form.estimator !== 'fixed' && { overhead }),
    },
  };
}

interface FieldsProps {
  readonly form: Form;
  readonly catalogue: Catalogue;
  readonly onChange: (form: Form) => void;
  readonly fault: Fault | undefined;
}

function Fields({ form, catalogue, onChange, fault }: FieldsProps) {
  const set = (changes: Partial<Form>) => onChange({ ...form, ...changes });
  const wrong = (path: string): boolean =>
    fault?.fieldViolations.some(({ field }) => field.startsWith(path)) ?? false;
  const text = (
    key: keyof Form & string,
    label: string,
    more: Readonly<Record<string, unknown>> = {},
    path = '',
  ) => (
    <label>
      {label}
      <input
        value={String(form[key])}
        aria-invalid={path !== '' && wrong(path)}
        onInput={(event) => set({ [key]: event.currentTarget.value })}
        {...more}
      />
    </label>
  );
  const named = (list: readonly Named[]): (readonly [string, string])[] => list.map(({ id }) => [id, id]);
  const about = (list: readonly Named[], id: string): string =>
    list.find((one) => one.id === id)?.description ?? '';
  const dataset = catalogue.datasets.find(({ id }) => id === form.dataset);
  const model = catalogue.models.find(({ id }) => id === form.model);
  return (
    <>
      <Section title="What is trained">
        <div class="fields">
          {text('displayName', 'Name', { placeholder: 'for people', maxLength: 200 })}
          {text('labels', 'Labels', { placeholder: 'team=vision, try=2' }, 'labels')}
          {catalogue.modules.length > 0 && (
            <Choice
              label="Problem"
              value={form.module}
              options={[['', 'a classifier'], ...named(catalogue.modules)]}
              onChange={(module) => set({ module })}
            />
          )}
          {form.module === '' && (
            <>
              <Choice
                label="Data set"
                value={form.dataset}
                options={named(catalogue.datasets)}
                onChange={(id) => set({ dataset: id })}
              />
              <Choice
                label="Model"
                value={form.model}
                options={named(catalogue.models)}
                onChange={(id) => set({ model: id })}
              />
            </>
          )}
          <Choice
            label="Optimizer"
            value={form.optimizer}
            options={named(catalogue.optimizers)}
            onChange={(id) => set({ optimizer: id })}
          />
          {text('batchSize', 'Batch size', { placeholder: '128', inputMode: 'numeric' }, 'problem.batchSize')}
          {text('steps', 'Inner steps', { required: true, inputMode: 'numeric' }, 'training.steps')}
          {text('seeds', 'Seeds', { required: true, placeholder: '0, 1, 2' }, 'training.seeds')}
        </div>
        <p class="muted">
          {[
            ...(form.module === ''
              ? [
                  about(catalogue.datasets, form.dataset),
                  dataset && `${count(dataset.trainExamples)} examples`,
                  about(catalogue.models, form.model),
                  model && `${count(model.parameters)} weights`,
                ]
              : [about(catalogue.modules, form.module)]),
            about(catalogue.optimizers, form.optimizer),
          ]
            .filter((text) => text)
            .join(' · ')}
        </p>
      </Section>
      <Section title="How its hyperparameters move">
        <div class="fields">
          <Choice
            label="Estimator"
            value={form.estimator}
            options={ESTIMATORS}
            onChange={(estimator) => set({ estimator })}
          />
          <Choice
            label="Who decides"
            value={form.mode}
            options={[
              ['managed', 'the service'],
              ['driven', 'you, after each window'],
            ]}
            onChange={(mode) => set({ mode })}
          />
          {text('overhead', 'May cost, in plain runs', { placeholder: '1.35; or exact' }, 'method.overhead')}
        </div>
        {hyperparametersOf(form, catalogue).map((one) => (
          <HyperparameterFields
            key={one.name}
            about={one}
            choice={choiceOf(form, one)}
            isWrong={wrong(`space.${one.name}`)}
            onChange={(choice) => set({ parameters: { ...form.parameters, [one.name]: choice } })}
          />
        ))}
      </Section>
    </>
  );
}

interface HyperparameterProps {
  readonly about: Hyperparameter;
  readonly choice: HyperparameterChoice;
  readonly isWrong: boolean;
  readonly onChange: (choice: HyperparameterChoice) => void;
}

function HyperparameterFields({ about, choice, isWrong, onChange }: HyperparameterProps) {
  const { name, description, defaultValue, groupings, setting } = about;
  const { how } = choice;
  const moves = how !== 'default' && how !== 'fixed';
  const options: (readonly [Treatment, string])[] = [
    ...(defaultValue === undefined ? [] : [['default', `default, ${defaultValue}`] as const]),
    ['fixed', 'kept at'],
    ...(setting ? [] : [['float', 'moves'] as const]),
    ...(groupings.includes('layer') && !setting ? [['layer', 'moves, one for each layer'] as const] : []),
    ...(groupings.includes('class') && !setting ? [['class', 'moves, one for each class'] as const] : []),
  ];
  const field = (key: 'min' | 'max' | 'init', label: string) => (
    <label>
      {label}
      <input
        value={choice[key]}
        inputMode="decimal"
        aria-invalid={isWrong}
        onInput={(event) => onChange({ ...choice, [key]: event.currentTarget.value })}
      />
    </label>
  );
  return (
    <fieldset class="parameter">
      <legend title={description}>{words(name)}</legend>
      <div class="fields">
        <Choice
          label="Treatment"
          value={how}
          options={options}
          onChange={(next) => onChange({ ...choice, how: next })}
        />
        {how === 'fixed' && field('init', 'Value')}
        {moves && (
          <>
            {field('min', 'From')}
            {field('max', 'To')}
            {field('init', 'Starts at')}
            <Choice
              label="Scale"
              value={choice.scale}
              options={[
                ['log', 'log'],
                ['logit', 'logit'],
                ['linear', 'linear'],
              ]}
              onChange={(scale) => onChange({ ...choice, scale })}
            />
          </>
        )}
      </div>
      <p class="muted">{description}</p>
    </fieldset>
  );
}
