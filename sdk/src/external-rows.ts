/** Rows of a window as the messages that carry them. */

import {
  Report,
  ReportHypergradientsRequest,
  type ReportHypergradientsResponse,
  StudyServiceService,
} from '@glocal/proto/glocal/v1/study_service';
import { encodeLong } from '@glocal/trainer/outer';
import type { MethodDefinition } from '@grpc/grpc-js';
import type { ReportFigures } from './report-session.ts';

/** Bytes of hypergradients in one message, about; far below what a message may have. */
const MESSAGE_BYTES = 1024 * 1024;
const VALUE_BYTES = Float64Array.BYTES_PER_ELEMENT;

/** ReportHypergradients with requests that are encoded already. */
export const REPORT: MethodDefinition<Buffer, ReportHypergradientsResponse> = {
  ...StudyServiceService.reportHypergradients,
  requestSerialize: (encoded) => encoded,
  requestDeserialize: (bytes) => bytes,
};

/** The first message about a trial. */
export const encodeStart = (trial: string): Buffer =>
  Buffer.from(ReportHypergradientsRequest.encode({ request: { $case: 'start', value: { trial } } }).finish());

/** Rows of one window, one after another. */
export interface Given {
  readonly outerStep: number;
  /** Position of the first one in the window. */
  readonly firstRow: number;
  readonly rows: readonly Float64Array[];
  readonly figures: ReportFigures;
}

/**
 * What is still to be sent of some rows: several in a message where they are short, a row in parts where it is long. The last
 * message has the figures; it is sent also when all rows are stored.
 * @param stored rows of the window, and components of the next one, that the server has
 */
export function* reportsFrom(
  { outerStep, firstRow, rows, figures }: Given,
  stored: { readonly rows: number; readonly components: number },
): Generator<Buffer> {
  const { trainLoss, validation } = figures;
  const last = {
    ...(trainLoss !== undefined && { trainLoss }),
    ...(validation !== undefined && { validation: { accuracy: 0, examples: 0, ...validation } }),
  };
  const skipped = Math.min(Math.max(stored.rows - firstRow, 0), Math.max(rows.length - 1, 0));
  const isOfFirst = stored.rows - firstRow === skipped;
  const pieces = [...piecesOf(rows.slice(skipped), isOfFirst ? stored.components : 0)];
  for (const [i, { row, firstComponent, values }] of pieces.entries()) {
    const fields = {
      outerStep,
      firstRow: firstRow + skipped + row,
      ...(firstComponent !== undefined && { firstComponent }),
      ...(i === pieces.length - 1 && last),
    };
    yield encodeReport(fields, values);
  }
  if (pieces.length === 0) yield encodeReport({ outerStep, firstRow, ...last }, []);
}

const encodeReport = (fields: Partial<Report>, vectors: readonly Float64Array[]): Buffer =>
  encodeLong({
    field: REPORT_FIELD,
    inner: Report.encode(Report.fromPartial(fields)).finish(),
    vectorsField: HYPERGRADIENTS_FIELD,
    vectors,
  });

/** Numbers of the contract's fields. */
const REPORT_FIELD = 2;
const HYPERGRADIENTS_FIELD = 3;

interface Piece {
  /** Counted from the first of the rows. */
  readonly row: number;
  /** Of a part of a row. */
  readonly firstComponent?: number;
  readonly values: readonly Float64Array[];
}

/** @param components of the first row that are left out */
function* piecesOf(rows: readonly Float64Array[], components: number): Generator<Piece> {
  const perPart = MESSAGE_BYTES / VALUE_BYTES;
  let together: Float64Array[] = [];
  for (const [row, values] of rows.entries()) {
    const from = row === 0 ? components : 0;
    if (from > 0 || values.length > perPart) {
      for (let firstComponent = from; firstComponent < values.length; firstComponent += perPart) {
        yield { row, firstComponent, values: [values.subarray(firstComponent, firstComponent + perPart)] };
      }
      continue;
    }
    together.push(values);
    if (row < rows.length - 1 && (together.length + 1) * values.length <= perPart) continue;
    yield { row: row + 1 - together.length, values: together };
    together = [];
  }
}
