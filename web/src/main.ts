// The page: reads the data in it, makes two panels side by side, and keeps the address true.
import "uplot/dist/uPlot.min.css";
import "./style.css";
import { readDocument } from "./data";
import { Panel } from "./panel";
import { decodeStates, encodeStates } from "./state";

function theme(): "dark" | "light" {
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function start(): void {
  const app = document.getElementById("app")!;
  app.replaceChildren();
  const data = readDocument(document.getElementById("mete-data")?.textContent ?? "");
  document.title = `${data.title} · mete`;
  document.documentElement.dataset.theme = theme();

  const heading = document.createElement("header");
  const title = document.createElement("h1");
  title.textContent = data.title;
  const shade = document.createElement("button");
  shade.type = "button";
  shade.dataset.id = "theme";
  shade.textContent = "Light or dark";
  heading.append(title, shade);
  app.append(heading);
  for (const note of data.notes ?? []) {
    const line = document.createElement("p");
    line.className = "note";
    line.textContent = note;
    app.append(line);
  }

  const states = decodeStates(data, location.hash, 2);
  const panels: Panel[] = [];
  const remember = () => history.replaceState(null, "", encodeStates(panels.map((p) => p.state)));
  const row = document.createElement("div");
  row.className = "panels";
  states.forEach((state, i) => {
    const panel = new Panel(i === 0 ? "Left panel" : "Right panel", data, state, remember);
    panels.push(panel);
    row.append(panel.root);
  });
  app.append(row);
  const foot = document.createElement("footer");
  foot.textContent = `${data.made_by ?? "mete"}. Drag over a plot to zoom, double-click or Escape for the whole range; ` +
    "the address holds the view.";
  app.append(foot);
  for (const panel of panels) panel.render();
  performance.mark("mete-first-plot");

  const redraw = () => { for (const panel of panels) panel.redraw(); };
  shade.addEventListener("click", () => {
    const root = document.documentElement;
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    redraw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    document.documentElement.dataset.theme = theme();
    redraw();
  });
  let width = innerWidth;
  let timer = 0;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    clearTimeout(timer);
    timer = window.setTimeout(redraw, 100);
  });
  addEventListener("hashchange", () => {
    decodeStates(data, location.hash, panels.length).forEach((state, i) => { panels[i]!.state = state; });
    for (const panel of panels) panel.render();
  });
}

try {
  start();
} catch (error) {
  const app = document.getElementById("app")!;
  app.replaceChildren();
  const line = document.createElement("p");
  line.className = "message";
  line.textContent = `The data in this page cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  app.append(line);
}
