// From a table and a panel's state to lines: rows are kept by the fixed dimensions, grouped by series and x, and averaged,
// so that a dimension left free never draws a zig-zag.
import { type Column, type PanelState, type Table, distinct, findColumn, numberAt, rowCount } from "./data";

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
    const wanted = column.type === "text" ? column.dictionary.indexOf(value) : Number(value);
    for (let row = 0; row < kept.length; ++row) if (numberAt(column, row) !== wanted) kept[row] = 0;
  }
  return kept;
}

/** x as numbers: text becomes its place in the alphabet of its values. */
function abscissa(column: Column): { at: (row: number) => number; categories: string[] | null } {
  if (column.type === "number") return { at: (row) => numberAt(column, row), categories: null };
  const categories = distinct(column);
  const places = column.dictionary.map((text) => categories.indexOf(text));
  return { at: (row) => places[column.codes[row] ?? 0] ?? NaN, categories };
}

class Group {
  sum = 0;
  rows = 0;
  least = Infinity;
  most = -Infinity;
  low = NaN;
  high = NaN;
  constructor(readonly x: number) {}
  add(y: number, low: number, high: number): void {
    this.sum += y;
    this.rows += 1;
    this.least = Math.min(this.least, y);
    this.most = Math.max(this.most, y);
    this.low = low;
    this.high = high;
  }
  point(): Point {
    const single = this.rows === 1;
    return {
      x: this.x, y: this.sum / this.rows, rows: this.rows,
      low: single ? this.low : this.least, high: single ? this.high : this.most,
    };
  }
}

export function select(table: Table | undefined, state: PanelState): Selection {
  if (!table) return nothing("No data.");
  const x = findColumn(table, state.x);
  const y = findColumn(table, state.y);
  if (!x || !y) return nothing("Choose what to draw.");
  if (y.type === "text") return nothing(`${y.name} is text: choose a number for y.`);
  const series = state.series ? findColumn(table, state.series) : undefined;
  const { at, categories } = abscissa(x);
  const low = y.low ? findColumn(table, y.low) : undefined;
  const high = y.high ? findColumn(table, y.high) : undefined;
  const kept = keptRows(table, state);

  const groups = new Map<number, Map<number, Group>>();
  let rows = 0;
  for (let row = 0; row < kept.length; ++row) {
    if (kept[row] === 0) continue;
    const value = numberAt(y, row);
    const place = at(row);
    if (!Number.isFinite(value) || !Number.isFinite(place)) continue;
    if ((state.logX && place <= 0 && !categories) || (state.logY && value <= 0)) continue;
    const key = series ? numberAt(series, row) : 0;
    let line = groups.get(key);
    if (!line) groups.set(key, (line = new Map()));
    let group = line.get(place);
    if (!group) line.set(place, (group = new Group(place)));
    group.add(value, low ? numberAt(low, row) : NaN, high ? numberAt(high, row) : NaN);
    ++rows;
  }
  if (rows === 0) return nothing("Nothing was measured with these settings: choose another value, or “all”.");

  const names = series ? distinct(series) : [y.name];
  const lines: Line[] = [];
  let averaged = 0;
  for (const [key, line] of groups) {
    const points = [...line.values()].map((group) => group.point()).sort((a, b) => a.x - b.x);
    for (const point of points) if (point.rows > 1) averaged += point.rows;
    const label = !series ? y.name : series.type === "text" ? (series.dictionary[key] ?? "") : String(key);
    const place = names.length > 1 ? names.indexOf(label) / (names.length - 1) : 0;
    lines.push({ label, place, points });
  }
  lines.sort((a, b) => a.place - b.place);
  const free = averaged === 0 ? [] : table.columns
    .filter((c) => c.role === "dimension" && c.name !== state.x && c.name !== state.series && !(c.name in state.fixed))
    .filter((c) => distinct(c).length > 1)
    .map((c) => c.name);
  return { lines, rows, averaged, free, categories, message: "" };
}
