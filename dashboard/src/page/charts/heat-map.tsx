/** Many components over the outer steps as colours, from dark (small) to light (large). */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { Components } from '../../api.ts';
import { short } from '../format.ts';
import { cividis } from '../palette.ts';

interface HeatMapProps {
  readonly label: string;
  readonly data: Components;
  /** Colours by the logarithm. */
  readonly log: boolean;
}

export function HeatMap({ label, data: { names, steps, values }, log }: HeatMapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [at, setAt] = useState<readonly [step: number, component: number] | undefined>(undefined);
  const scale = (value: number): number => (log ? Math.log(Math.max(value, 1e-300)) : value);
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const row of values) {
    for (const value of row) {
      if (value === null) continue;
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
  }
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context || values.length === 0 || names.length === 0) return;
    const image = context.createImageData(values.length, names.length);
    const span = scale(max) - scale(min) || 1;
    values.forEach((row, x) => {
      row.forEach((value, y) => {
        const [r, g, b] = value === null ? [128, 128, 128] : cividis((scale(value) - scale(min)) / span);
        image.data.set([r, g, b, 255], 4 * (y * values.length + x));
      });
    });
    context.putImageData(image, 0, 0);
  });
  const point = (event: PointerEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const x = Math.floor(((event.clientX - box.left) / box.width) * values.length);
    const y = Math.floor(((event.clientY - box.top) / box.height) * names.length);
    setAt([Math.min(values.length - 1, Math.max(0, x)), Math.min(names.length - 1, Math.max(0, y))]);
  };
  const move = (event: KeyboardEvent) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const [x = values.length - 1, y = 0] = at ?? [];
    setAt([
      Math.min(values.length - 1, Math.max(0, x + (by[0] ?? 0))),
      Math.min(names.length - 1, Math.max(0, y + (by[1] ?? 0))),
    ]);
  };
  const said = at
    ? `step ${short(steps[at[0]] ?? null)}, ${names[at[1]]}: ${short(values[at[0]]?.[at[1]] ?? null)}`
    : `${names.length} components, ${short(min)} to ${short(max)}`;
  return (
    <div role="group" aria-label={label}>
      <ul class="readout">
        <li>{said}</li>
        <li class="muted">
          {short(min)} <span class="ramp" aria-hidden="true" /> {short(max)}
        </li>
      </ul>
      <canvas
        ref={canvas}
        class="heat"
        width={Math.max(1, values.length)}
        height={Math.max(1, names.length)}
        style={{ height: `${Math.min(320, Math.max(90, names.length * 12))}px` }}
        tabIndex={0}
        role="slider"
        aria-label={`${label}, cursor`}
        aria-valuemin={1}
        aria-valuemax={values.length}
        aria-valuenow={(at?.[0] ?? values.length - 1) + 1}
        aria-valuetext={said}
        onPointerMove={point}
        onPointerLeave={() => setAt(undefined)}
        onKeyDown={move}
      />
    </div>
  );
}
