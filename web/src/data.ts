// The data of a page, `mete.view/1` (docs/formats/view.md): tables in columns; text is kept as codes into a dictionary.

export interface NumberColumn {
  name: string;
  unit: string;
  role: "dimension" | "measure";
  type: "number";
  /** NaN where there is none. */
  values: Float64Array;
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
  codes: Uint32Array;
  source?: string;
}

export type Column = NumberColumn | TextColumn;

/** Regions below a plot whose x is time. */
export interface Lanes {
  /** The column that must be the plot's x. */
  x: string;
  note: string;
  /** Outer ones first; of a band: its ends, the part of its time spent in the region, words. */
  rows: { name: string; level: number; bands: [number, number, number, string][] }[];
}

export interface Table {
  name: string;
  columns: Column[];
  lanes?: Lanes;
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

/** JSON's lists, with null for what is absent, into typed columns: a row is read many times. */
function typed(column: Column): void {
  if (column.type === "text") {
    column.codes = Uint32Array.from(column.codes);
    return;
  }
  const given = column.values as unknown as (number | null)[];
  const values = new Float64Array(given.length);
  for (let i = 0; i < values.length; ++i) values[i] = given[i] ?? NaN;
  column.values = values;
}

export function readDocument(text: string): Document {
  const document = JSON.parse(text) as Document;
  if (document.format !== "mete.view/1") throw new Error(`expected format mete.view/1, got ${document.format}`);
  for (const table of document.tables) for (const column of table.columns) typed(column);
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
  return (column.type === "text" ? column.codes : column.values)[row] ?? NaN;
}

const order = new Intl.Collator("en", { numeric: true });

export class Coded {
  private texts: string[] | null;
  /** `codes`: each row's place among the values, -1 where there is none; `numbers`: the values, ascending, of a number column. */
  constructor(readonly codes: Int32Array, readonly count: number, texts: string[] | null, readonly numbers: Float64Array | null) {
    this.texts = texts;
  }
  /** The values as text, in order, each once. Made when asked for: the times of a long trace are many. */
  get names(): string[] { return (this.texts ??= Array.from(this.numbers ?? [], String)); }
}

const codedCache = new WeakMap<Column, Coded>();

/** Each value of a column as its place among all of them: made once, so that a choice costs one comparison a row. */
export function coded(column: Column): Coded {
  const known = codedCache.get(column);
  if (known) return known;
  const made = column.type === "text" ? codedText(column) : codedNumbers(column.values);
  codedCache.set(column, made);
  return made;
}

function codedText(column: TextColumn): Coded {
  const used = new Uint8Array(column.dictionary.length);
  for (const code of column.codes) used[code] = 1;
  const ranked = column.dictionary.map((_, code) => code).filter((code) => used[code])
    .sort((a, b) => order.compare(column.dictionary[a]!, column.dictionary[b]!));
  const place = new Int32Array(column.dictionary.length).fill(-1);
  ranked.forEach((code, i) => { place[code] = i; });
  return new Coded(Int32Array.from(column.codes, (code) => place[code] ?? -1), ranked.length,
                   ranked.map((code) => column.dictionary[code]!), null);
}

function codedNumbers(values: Float64Array): Coded {
  const known = values.filter((v) => !Number.isNaN(v)).sort();
  let count = 0;
  for (let i = 0; i < known.length; ++i) if (i === 0 || known[i] !== known[i - 1]) known[count++] = known[i]!;
  const unique = known.subarray(0, count);
  const codes = new Int32Array(values.length);
  let last = NaN;
  let place = -1;
  for (let i = 0; i < values.length; ++i) {
    const value = values[i]!;
    // Neighbouring rows are often alike.
    if (value !== last) {
      last = value;
      place = Number.isNaN(value) ? -1 : find(unique, value);
    }
    codes[i] = place;
  }
  return new Coded(codes, count, null, unique);
}

function find(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many different values a column has. */
export function count(column: Column): number { return coded(column).count; }

/** The values of a column as text, numbers ascending, each once. */
export function distinct(column: Column): string[] { return coded(column).names; }
