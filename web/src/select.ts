// From a table and a panel's state to lines: rows are kept by the fixed dimensions, grouped by series and x, and averaged,
// so that a dimension left free never draws a zig-zag.
import { type Column, type NumberColumn, type PanelState, type Table, coded, count, distinct, findColumn, numberAt, rowCount } from "./data";

export interface Point {
  x: number;
  y: number;
  /** The ends of the interval, or of the rows that were averaged; NaN where there is none. */
  low: number;
  high: number;
  rows: number;
}

export interface Line {
  label: string;
  /** Where the line's value lies among all values of the series' dimension, 0..1. */
  place: number;
  points: Point[];
}

export interface Selection {
  lines: Line[];
  rows: number;
  /** Rows that share their point with others. */
  averaged: number;
  /** Dimensions that are averaged over. */
  free: string[];
  /** Names of x where x is text. */
  categories: string[] | null;
  message: string;
}

const nothing = (message: string): Selection => ({ lines: [], rows: 0, averaged: 0, free: [], categories: null, message });

/** Which rows the fixed dimensions keep: one byte a row. */
function keptRows(table: Table, state: PanelState): Uint8Array {
  const kept = new Uint8Array(rowCount(table)).fill(1);
  for (const [name, value] of Object.entries(state.fixed)) {
    const column = findColumn(table, name);
    if (!column || name === state.x || name === state.series) continue;
    const { names, codes } = coded(column);
    const wanted = names.indexOf(value);
    for (let row = 0; row < kept.length; ++row) if (codes[row] !== wanted) kept[row] = 0;
  }
  return kept;
}

/** Sums of the rows of each cell: series × x, where only cells that have rows take memory. */
class Cells {
  private readonly place = new Map<number, number>();
  private size = 1024;
  count = 0;
  key = new Float64Array(this.size);
  sum = new Float64Array(this.size);
  rows = new Uint32Array(this.size);
  least = new Float64Array(this.size);
  most = new Float64Array(this.size);
  last = new Uint32Array(this.size);
  private lastKey = NaN;
  private lastCell = 0;

  /** `key`: series × number of x + x. */
  add(key: number, y: number, row: number): void {
    const cell = key === this.lastKey ? this.lastCell : this.cell(key);
    this.lastKey = key;
    this.lastCell = cell;
    this.sum[cell]! += y;
    this.rows[cell]! += 1;
    if (y < this.least[cell]!) this.least[cell] = y;
    if (y > this.most[cell]!) this.most[cell] = y;
    this.last[cell] = row;
  }

  private cell(key: number): number {
    const known = this.place.get(key);
    if (known !== undefined) return known;
    const cell = this.count++;
    if (cell === this.size) this.grow();
    this.place.set(key, cell);
    this.key[cell] = key;
    this.least[cell] = Infinity;
    this.most[cell] = -Infinity;
    return cell;
  }

  private grow(): void {
    this.size *= 2;
    const larger = <T extends Float64Array | Uint32Array>(old: T, fresh: T): T => { fresh.set(old); return fresh; };
    this.key = larger(this.key, new Float64Array(this.size));
    this.sum = larger(this.sum, new Float64Array(this.size));
    this.rows = larger(this.rows, new Uint32Array(this.size));
    this.least = larger(this.least, new Float64Array(this.size));
    this.most = larger(this.most, new Float64Array(this.size));
    this.last = larger(this.last, new Uint32Array(this.size));
  }
}

export function select(table: Table | undefined, state: PanelState): Selection {
  if (!table) return nothing("No data.");
  const x = findColumn(table, state.x);
  const y = findColumn(table, state.y);
  if (!x || !y) return nothing("Choose what to draw.");
  if (y.type === "text") return nothing(`${y.name} is text: choose a number for y.`);
  const series = state.series ? findColumn(table, state.series) : undefined;
  const categories = x.type === "text" ? distinct(x) : null;
  const cells = new Cells();
  const rows = fill(cells, table, state, x, y, series);
  if (rows === 0) return nothing("Nothing was measured with these settings: choose another value, or “all”.");

  const lines = linesOf(cells, table, x, y, series);
  let averaged = 0;
  for (let cell = 0; cell < cells.count; ++cell) if (cells.rows[cell]! > 1) averaged += cells.rows[cell]!;
  const free = averaged === 0 ? [] : table.columns
    .filter((c) => c.role === "dimension" && c.name !== state.x && c.name !== state.series && !(c.name in state.fixed))
    .filter((c) => count(c) > 1)
    .map((c) => c.name);
  return { lines, rows, averaged, free, categories, message: "" };
}

/** Adds the kept rows to their cells; how many there were. */
function fill(cells: Cells, table: Table, state: PanelState, x: Column, y: NumberColumn, series: Column | undefined): number {
  const kept = keptRows(table, state);
  const places = coded(x);
  const keys = series ? coded(series).codes : null;
  const width = Math.max(1, places.count);
  // A logarithm has no place for what is not above zero.
  const positiveX = state.logX && x.type === "number" ? x.values : null;
  let rows = 0;
  for (let row = 0; row < kept.length; ++row) {
    if (kept[row] === 0) continue;
    const value = y.values[row]!;
    const place = places.codes[row]!;
    const key = keys ? keys[row]! : 0;
    if (value - value !== 0 || place < 0 || key < 0) continue;
    if ((state.logY && value <= 0) || (positiveX && positiveX[row]! <= 0)) continue;
    cells.add(key * width + place, value, row);
    ++rows;
  }
  return rows;
}

function linesOf(cells: Cells, table: Table, x: Column, y: NumberColumn, series: Column | undefined): Line[] {
  const low = y.low ? findColumn(table, y.low) : undefined;
  const high = y.high ? findColumn(table, y.high) : undefined;
  const { count: values, numbers: abscissas } = coded(x);
  const width = Math.max(1, values);
  const names = series ? distinct(series) : [y.name];
  const order = Array.from({ length: cells.count }, (_, i) => i).sort((a, b) => cells.key[a]! - cells.key[b]!);
  const lines: Line[] = [];
  let key = -1;
  for (const cell of order) {
    const line = Math.floor(cells.key[cell]! / width);
    const place = cells.key[cell]! - line * width;
    if (line !== key) {
      key = line;
      lines.push({ label: names[line] ?? "", place: names.length > 1 ? line / (names.length - 1) : 0, points: [] });
    }
    const rows = cells.rows[cell]!;
    const row = cells.last[cell]!;
    lines[lines.length - 1]!.points.push({
      x: abscissas ? abscissas[place]! : place, y: cells.sum[cell]! / rows, rows,
      low: rows > 1 ? cells.least[cell]! : low ? numberAt(low, row) : NaN,
      high: rows > 1 ? cells.most[cell]! : high ? numberAt(high, row) : NaN,
    });
  }
  return lines;
}
