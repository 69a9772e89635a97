/** For tests, the benchmark and the table in docs/kernels.md: which kernels need a rule, and what is tested of it. */

import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { initBackend } from '../../backend/select.ts';
import { registerPrimitives } from '../ops/primitives.ts';
import '../ops/gradients.ts';
import '../ops/softmax-cross-entropy.ts';
import { CASES } from './all.cases.ts';
import { hasGradient, ruleError } from './rule-case.ts';
import { CONSTANT_KERNELS, ruleFile } from './table.ts';

/** Answered by the virtual backend itself, and complex numbers, which no float32 parameter reaches. */
const WITHOUT_RULE = ['Identity', 'Complex', 'ComplexAbs', 'Real', 'Imag', 'FFT', 'IFFT'];

export interface NeededKernel {
  readonly kernel: string;
  readonly reason: 'has a gradient' | 'is called by gradients';
}

/** Every kernel that can carry a tangent when a gradient is taken: with a gradient itself, or called by one. */
export async function neededKernels(): Promise<NeededKernel[]> {
  await initBackend({ backend: 'cpu', log: () => {} });
  registerPrimitives('cpu');
  const differentiable = tf
    .getKernelsForBackend('cpu')
    .map(({ kernelName }) => kernelName)
    .filter((kernel) => tf.getGradient(kernel) !== undefined);
  const called = kernelsRunBy(() => {
    for (const kernel of differentiable) {
      const { calls } = CASES[kernel] ?? {};
      // The same calls each time: the table that is made of this is compared with an earlier one.
      for (const call of calls ? fc.sample(calls, { seed: 1, numRuns: 10 }) : []) hasGradient(kernel, call);
    }
  });
  return [...new Set([...differentiable, ...called])]
    .filter((kernel) => !CONSTANT_KERNELS.has(kernel) && !WITHOUT_RULE.includes(kernel))
    .sort()
    .map((kernel) => ({
      kernel,
      reason: differentiable.includes(kernel) ? 'has a gradient' : 'is called by gradients',
    }));
}

/** Names of the cpu kernels that tfjs calls while a function runs. */
function kernelsRunBy(run: () => void): Set<string> {
  const names = new Set<string>();
  const stock = tf.getKernelsForBackend('cpu');
  const replaceAll = (kernels: readonly tf.KernelConfig[]) => {
    for (const kernel of kernels) {
      tf.unregisterKernel(kernel.kernelName, 'cpu');
      tf.registerKernel(kernel);
    }
  };
  replaceAll(
    stock.map((kernel) => ({
      ...kernel,
      kernelFunc: (call) => {
        names.add(kernel.kernelName);
        return kernel.kernelFunc(call);
      },
    })),
  );
  try {
    run();
  } finally {
    replaceAll(stock);
  }
  return names;
}

/** Whether the kernel's rule agrees with central differences on the backend in use, for every combination of tangents. */
export function passes(kernel: string, runs: number): boolean {
  const { calls, smoothness } = CASES[kernel] ?? {};
  if (calls === undefined || smoothness === undefined) return false;
  const trials = fc.sample(fc.tuple(calls, fc.integer({ min: 1, max: 4 }), fc.nat(1e6)), {
    numRuns: runs,
    seed: 2,
  });
  return trials.every(([call, q, seed]) => ruleError(kernel, call, smoothness, q, seed) <= 1);
}

/** The text of docs/kernels.md. */
export async function kernelTable(): Promise<string> {
  const needed = new Map((await neededKernels()).map(({ kernel, reason }) => [kernel, reason]));
  const kernels = [...new Set([...needed.keys(), ...Object.keys(CASES)])].sort();
  const rows = kernels.map((kernel) => {
    const rule = ruleFile(kernel);
    const { defects = {}, cpuDefect } = CASES[kernel] ?? {};
    const notes = Object.entries(defects).map(
      ([backend, defect]) => `not tested on ${backend}, where the stock kernel ${defect}`,
    );
    if (cpuDefect) notes.push(`on cpu the stock kernel ${cpuDefect}`);
    const cells = [
      `\`${kernel}\``,
      needed.get(kernel) ?? 'forward mode',
      rule ? `\`${rule}.ts\`` : '**missing**',
      kernel in CASES ? `\`${rule}.cases.ts\`` : '**no**',
      tf.getGradient(kernel) ? 'yes' : '–',
      notes.join('; '),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const constant = [...CONSTANT_KERNELS].sort().map((kernel) => `\`${kernel}\``);
  return `${HEAD}\n${rows.join('\n')}\n\n${TAIL}\n\n${constant.join(', ')}.\n`;
}

const HEAD = `# Kernels and their forward-mode rules

Made by \`node services/trainer/src/ad/rules/write-table.ts\`; a test says when it is out of date.

A model may use every tfjs operation that is made of these kernels. *Why* a kernel needs a rule: it has a gradient in tfjs (or
one of ours, where tfjs has none), or such a gradient calls it; the rest have rules for forward mode alone. *Tested*: the file
with the random calls on which the rule is compared with central differences, for every combination of tangents, on each
installed backend (\`rules.test.ts\`). *Second derivative*: the gradient that goes through it is compared with tfjs's own, and
its tangents with differences of tfjs's own (\`gradients.test.ts\`). A kernel that is in neither list is an error that names
it and the line of the model, never a zero.

| Kernel | Why | Rule | Tested | Second derivative | Notes |
|---|---|---|---|---|---|`;

const TAIL = `Constant, so that a tangent ends there as a gradient would:`;
