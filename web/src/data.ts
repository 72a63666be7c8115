// The data of a page, `mete.view/1` (docs/formats/view.md): tables in columns; text is kept as codes into a dictionary.

export interface NumberColumn {
  name: string;
  unit: string;
  role: "dimension" | "measure";
  type: "number";
  values: (number | null)[];
  /** Columns that hold the ends of this one's interval. */
  low?: string;
  high?: string;
  /** counter, sampled, integrated, estimated or replayed. */
  source?: string;
}

export interface TextColumn {
  name: string;
  unit: string;
  role: "dimension" | "measure";
  type: "text";
  dictionary: string[];
  codes: number[];
  source?: string;
}

export type Column = NumberColumn | TextColumn;

export interface Table {
  name: string;
  columns: Column[];
  /** What the panels show at first. */
  panels?: Partial<PanelState>[];
}

export interface Document {
  format: string;
  title: string;
  made_by?: string;
  notes?: string[];
  tables: Table[];
}

/** What one panel shows; also what the address holds. */
export interface PanelState {
  table: string;
  x: string;
  y: string;
  /** A dimension, or "" for one line. */
  series: string;
  /** Dimension → the value that is kept, as text; absent: all values, averaged. */
  fixed: Record<string, string>;
  logX: boolean;
  logY: boolean;
  /** [x0, x1, y0, y1] of a zoom. */
  zoom?: number[];
}

export function readDocument(text: string): Document {
  const document = JSON.parse(text) as Document;
  if (document.format !== "mete.view/1") throw new Error(`expected format mete.view/1, got ${document.format}`);
  return document;
}

export function rowCount(table: Table): number {
  const first = table.columns[0];
  if (!first) return 0;
  return first.type === "text" ? first.codes.length : first.values.length;
}

export function findColumn(table: Table, name: string): Column | undefined {
  return table.columns.find((column) => column.name === name);
}

export function dimensions(table: Table): Column[] {
  return table.columns.filter((column) => column.role === "dimension");
}

export function numberAt(column: Column, row: number): number {
  if (column.type === "text") return column.codes[row] ?? NaN;
  return column.values[row] ?? NaN;
}

const distinctCache = new WeakMap<Column, string[]>();

/** The values of a column as text, numbers ascending, each once. */
export function distinct(column: Column): string[] {
  const known = distinctCache.get(column);
  if (known) return known;
  let values: string[];
  if (column.type === "text") {
    values = [...new Set(column.codes)].map((code) => column.dictionary[code] ?? "").sort();
  } else {
    const numbers = new Set<number>();
    for (const value of column.values) if (value !== null) numbers.add(value);
    values = [...numbers].sort((a, b) => a - b).map(String);
  }
  distinctCache.set(column, values);
  return values;
}
