// Numbers for people: three or four digits with an SI prefix.

const prefixes: [number, string][] = [
  [1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""], [1e-3, "m"], [1e-6, "µ"], [1e-9, "n"],
];

/** Units that take a prefix; a fraction, a count and a size do not. */
const prefixed = new Set(["Hz", "W", "J", "s", "B", "FLOP/s", "FLOP/J", "B/s", "V", "A"]);

export function prefixFor(unit: string, largest: number): { factor: number; unit: string } {
  if (!prefixed.has(unit) || !(largest > 0)) return { factor: 1, unit: unit === "1" ? "" : unit };
  const found = prefixes.find(([size]) => largest >= size) ?? prefixes[prefixes.length - 1]!;
  return { factor: found[0], unit: found[1] + unit };
}

export function digits(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e7 || size < 1e-4)) return value.toExponential(3);
  return String(Number(value.toPrecision(5)));
}

export function quantity(value: number, unit: string): string {
  const scale = prefixFor(unit, Math.abs(value));
  return scale.unit ? `${digits(value / scale.factor)} ${scale.unit}` : digits(value / scale.factor);
}

/** A column's name as words. */
export function title(name: string, unit: string): string {
  const words = name.replaceAll("_", " ");
  return unit && unit !== "1" ? `${words} (${unit})` : words;
}
