/** A table of figures, which scrolls by itself where the page is narrow. */

import type { ComponentChildren } from 'preact';

/** What stands above a column. */
export interface Column {
  readonly key: string;
  readonly title: ComponentChildren;
  /** Its cells are numbers. */
  readonly isNumber?: boolean;
}

interface DataTableProps {
  /** What is listed, for those who do not see it. */
  readonly label: string;
  readonly columns: readonly Column[];
  /** Its rows. */
  readonly children: ComponentChildren;
}

export const DataTable = ({ label, columns, children }: DataTableProps) => (
  <div class="scroll" tabIndex={0} role="group" aria-label={label}>
    <table>
      <thead>
        <tr>
          {columns.map(({ key, title, isNumber }) => (
            <th key={key} scope="col" class={isNumber ? 'number' : undefined}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  </div>
);

/** A column that is called by its title. */
export const column = (title: string): Column => ({ key: title, title });
export const numberColumn = (title: string): Column => ({ key: title, title, isNumber: true });
