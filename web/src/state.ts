// The address holds what every panel shows, so that a view can be shared: #p0=x:frequency;y:watts;..&p1=..
import { type Document, type PanelState, type Table, count, dimensions, distinct } from "./data";

const encode = encodeURIComponent;

function encodePanel(state: PanelState): string {
  const parts = [`t:${encode(state.table)}`, `x:${encode(state.x)}`, `y:${encode(state.y)}`];
  if (state.series) parts.push(`s:${encode(state.series)}`);
  for (const [name, value] of Object.entries(state.fixed)) parts.push(`f:${encode(name)}:${encode(value)}`);
  if (state.logX) parts.push("lx:1");
  if (state.logY) parts.push("ly:1");
  if (state.zoom) parts.push(`z:${state.zoom.map(String).join(",")}`);
  return parts.join(";");
}

export function encodeStates(states: PanelState[]): string {
  return "#" + states.map((state, i) => `p${i}=${encodePanel(state)}`).join("&");
}

function decodePanel(text: string, usual: PanelState): PanelState {
  const state: PanelState = { ...usual, fixed: {}, series: "", logX: false, logY: false };
  delete state.zoom;
  for (const part of text.split(";")) {
    const [key, first = "", second = ""] = part.split(":").map((piece) => {
      try { return decodeURIComponent(piece); } catch { return ""; }
    });
    if (key === "t") state.table = first;
    else if (key === "x") state.x = first;
    else if (key === "y") state.y = first;
    else if (key === "s") state.series = first;
    else if (key === "f") state.fixed[first] = second;
    else if (key === "lx") state.logX = true;
    else if (key === "ly") state.logY = true;
    else if (key === "z") {
      const numbers = first.split(",").map(Number);
      if (numbers.length === 4 && numbers.every(Number.isFinite)) state.zoom = numbers;
    }
  }
  return state;
}

/** An address may come from another page, or from anybody: what its table lacks is put back to the usual. */
function repaired(data: Document, state: PanelState, usual: PanelState): PanelState {
  const table = data.tables.find((t) => t.name === state.table);
  if (!table) return usual;
  const has = (name: string) => table.columns.some((c) => c.name === name);
  if (!has(state.x) || !has(state.y) || (state.series && !has(state.series))) return usualState(table, 0);
  for (const name of Object.keys(state.fixed)) if (!has(name)) delete state.fixed[name];
  return state;
}

/** A first view that says something: the dimension with most values as x, the next as lines, the others fixed. */
export function usualState(table: Table | undefined, index: number): PanelState {
  const state: PanelState = { table: table?.name ?? "", x: "", y: "", series: "", fixed: {}, logX: false, logY: false };
  if (!table) return state;
  const dims = dimensions(table).filter((c) => count(c) > 1);
  const measures = table.columns.filter((c) => c.role === "measure" && c.type === "number");
  const byCount = [...dims].sort((a, b) => count(b) - count(a));
  state.x = byCount[0]?.name ?? table.columns[0]?.name ?? "";
  state.y = measures[index % Math.max(1, measures.length)]?.name ?? "";
  state.series = byCount[1]?.name ?? "";
  for (const dim of byCount.slice(2)) state.fixed[dim.name] = distinct(dim)[0]!;
  const wanted = table.panels?.[index];
  if (!wanted) return state;
  // Only what the table really has, and of the fixed ones only values that are there.
  const has = (name: string | undefined) => name !== undefined && table.columns.some((c) => c.name === name);
  if (has(wanted.x)) state.x = wanted.x!;
  if (has(wanted.y)) state.y = wanted.y!;
  if (wanted.series !== undefined) state.series = has(wanted.series) ? wanted.series : "";
  if (wanted.fixed) {
    state.fixed = Object.fromEntries(Object.entries(wanted.fixed).filter(([name, value]) =>
      table.columns.some((c) => c.name === name && count(c) > 1 && distinct(c).includes(value))));
  }
  return state;
}

export function decodeStates(data: Document, hash: string, count: number): PanelState[] {
  const given = new Map<string, string>();
  for (const part of hash.replace(/^#/, "").split("&")) {
    const equals = part.indexOf("=");
    if (equals > 0) given.set(part.slice(0, equals), part.slice(equals + 1));
  }
  return Array.from({ length: count }, (_, i) => {
    const usual = usualState(data.tables[0], i);
    const text = given.get(`p${i}`);
    return text === undefined ? usual : repaired(data, decodePanel(text, usual), usual);
  });
}
