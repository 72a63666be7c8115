// Regions of a program below a plot over time: one lane for each name, on the plot's own time axis.
import type { Lanes } from "./data";

const svgSpace = "http://www.w3.org/2000/svg";
const laneHeight = 30;
const nameHeight = 14;

/** Where the plot's area lies in its box, and the times at its ends. */
export interface TimeArea { left: number; width: number; from: number; to: number }

function node(name: string, attributes: Record<string, string | number>, text = ""): SVGElement {
  const out = document.createElementNS(svgSpace, name);
  for (const [key, value] of Object.entries(attributes)) out.setAttribute(key, String(value));
  if (text) out.textContent = text;
  return out;
}

/** A name cut to what has room; the whole of it is in the lane's title. */
function fitted(name: string, width: number): string {
  const most = Math.max(4, Math.floor(width / 6.4));
  return name.length <= most ? name : `${name.slice(0, most - 1)}…`;
}

/** The lanes, a drawing with words for those who cannot see it. */
export function drawLanes(lanes: Lanes, area: TimeArea): HTMLElement {
  const at = (time: number) => area.left + (area.width * (time - area.from)) / (area.to - area.from);
  const height = lanes.rows.length * laneHeight;
  const svg = node("svg", { width: area.left + area.width + 2, height, role: "img" });
  svg.setAttribute("aria-label", `Regions over time. ${lanes.rows.map((row) => `${row.name}, level ${row.level + 1}`).join("; ")}.`);
  lanes.rows.forEach((row, i) => {
    const top = i * laneHeight;
    const lane = node("g", { class: `lane level-${Math.min(row.level, 3)}` });
    lane.append(node("rect", { class: "ground", x: area.left, y: top, width: area.width, height: laneHeight - 2 }));
    for (const [begin, end, share, about] of row.bands) {
      if (end < area.from || begin > area.to) continue;
      const from = at(Math.max(begin, area.from));
      const band = Math.max(3, (laneHeight - nameHeight - 3) * share);
      const rect = node("rect", {
        class: "band", x: from.toFixed(1), width: Math.max(1, at(Math.min(end, area.to)) - from).toFixed(1),
        y: (top + laneHeight - 2 - band).toFixed(1), height: band.toFixed(1),
      });
      rect.append(node("title", {}, about));
      lane.append(rect);
    }
    const name = node("text", { x: area.left + 4, y: top + nameHeight - 3 }, fitted(row.name, area.width - 8));
    name.append(node("title", {}, row.name));
    lane.append(name);
    svg.append(lane);
  });
  const out = document.createElement("div");
  out.className = "lanes";
  const note = document.createElement("p");
  note.className = "status";
  note.textContent = lanes.note;
  out.append(svg, note);
  return out;
}
