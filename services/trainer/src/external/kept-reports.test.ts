import { Report } from '@glocal/proto/glocal/v1/study_service';
import { describe, expect, it, vi } from 'vitest';
import { type AddReports, KeptReports } from './kept-reports.ts';

const report = (firstRow: number) => Report.fromPartial({ firstRow, hypergradients: Buffer.alloc(16) });

/** Reports whose store answers when it is told to. */
function slow() {
  const answers: PromiseWithResolvers<void>[] = [];
  const add = vi.fn<AddReports>(() => {
    const answer = Promise.withResolvers<void>();
    answers.push(answer);
    return answer.promise;
  });
  const reports = new KeptReports(add);
  const told: string[] = [];
  const keep = (firstRow: number) =>
    reports.keep(report(firstRow)).then(
      () => told.push(`${firstRow} stored`),
      (error: Error) => told.push(`${firstRow} ${error.message}`),
    );
  return { answers, add, reports, told, keep };
}

describe('reports on their way to the store', () => {
  it('go there together where they have waited for others', async () => {
    const { answers, add, told, keep, reports } = slow();
    const kept = [keep(0), keep(1), keep(2)];
    expect(add.mock.calls).toEqual([[[report(0)], 0]]);
    answers[0]?.resolve();
    await kept[0];
    await vi.waitFor(() => expect(add.mock.calls[1]).toEqual([[report(1), report(2)], 1]));
    expect({ told, kept: reports.kept }).toEqual({ told: ['0 stored'], kept: { reports: 1, values: 2 } });
    answers[1]?.resolve();
    await Promise.all(kept);
    expect(reports.kept).toEqual({ reports: 3, values: 6 });
  });

  it('are all refused after one that was not stored', async () => {
    const { answers, add, told, keep, reports } = slow();
    const kept = [keep(0), keep(1)];
    answers[0]?.reject(new Error('full'));
    await Promise.all(kept);
    await keep(2);
    expect(told).toEqual(['0 full', '1 full', '2 full']);
    expect(add).toHaveBeenCalledTimes(1);
    await expect(reports.close(async () => 'closed')).rejects.toThrow('full');
  });

  it('that wait are stored by what closes the window, after those on their way', async () => {
    const { answers, add, told, keep, reports } = slow();
    const kept = [keep(0), keep(1)];
    const close = vi.fn(async () => 'closed');
    const closed = reports.close(close);
    expect(close).not.toHaveBeenCalled();
    answers[0]?.resolve();
    expect(await closed).toBe('closed');
    await Promise.all(kept);
    expect(close.mock.calls).toEqual([[{ reports: 1, values: 2 }]]);
    expect(add).toHaveBeenCalledTimes(1);
    expect(told).toEqual(['0 stored', '1 stored']);
  });

  it('that wait are refused when the window cannot be closed', async () => {
    const { answers, told, keep, reports } = slow();
    const kept = [keep(0), keep(1)];
    const closed = reports.close(() => Promise.reject(new Error('not its next')));
    answers[0]?.resolve();
    await expect(closed).rejects.toThrow('not its next');
    await Promise.all(kept);
    expect(told).toEqual(['0 stored', '1 not its next']);
  });
});
