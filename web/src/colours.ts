// Colours that people with any colour vision can tell apart, on light and on dark.

const categorical = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1", "#7f7f7f"];
/** Okabe and Ito's blue is too dark on black. */
const categoricalDark = ["#4aa8e8", "#f07d2e", "#2cc79a", "#e39ac4", "#f2b632", "#8fd0f5", "#b197d6", "#b0b0b0"];

/** Many values in order (clocks, sizes): from dark blue over green to orange. */
function ramp(place: number, dark: boolean): string {
  const hue = 260 - 230 * place;
  return `hsl(${hue.toFixed(0)} 75% ${dark ? 62 : 42}%)`;
}

export function lineColour(index: number, count: number, place: number, ordered: boolean, dark: boolean): string {
  const list = dark ? categoricalDark : categorical;
  if (ordered || count > list.length) return ramp(place, dark);
  return list[index % list.length]!;
}
