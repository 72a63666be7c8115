// One panel: its own table, x, y, lines and fixed dimensions; the plot; the legend; the same values as a table.
import { Chart, type ChartSpec, type Reading, colourOf, lineLabel } from "./chart";
import { type Document, type PanelState, type Table, count, dimensions, distinct, findColumn } from "./data";
import { drawLanes } from "./lanes";
import { offer, savePng, toCsv, toSvg } from "./save";
import { type Selection, select } from "./select";
import { usualState } from "./state";
import { digits, quantity, title } from "./units";

function element<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Record<string, string> = {},
                                                        ...children: (Node | string)[]): HTMLElementTagNameMap[K] {
  const out = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) out.setAttribute(name, value);
  out.append(...children);
  return out;
}

interface Choice { value: string; text: string }

/** Rows of the table under the plot; more are in the CSV. */
const mostRows = 500;
/** Values of a dimension that a list offers. */
const mostChoices = 2000;

export class Panel {
  readonly root = element("section", { class: "panel" });
  private readonly controls = element("div", { class: "controls" });
  private readonly box = element("div", { class: "plot", tabindex: "0", role: "application" });
  private readonly tip = element("div", { class: "tip", hidden: "" });
  private readonly lanes = element("div", {});
  private readonly spoken = element("p", { class: "spoken", "aria-live": "polite" });
  private readonly status = element("p", { class: "status" });
  private readonly legend = element("ul", { class: "legend" });
  private readonly values = element("details", { class: "values" });
  private readonly chart: Chart;
  private spec: ChartSpec | null = null;

  constructor(name: string, private readonly data: Document, public state: PanelState,
              private readonly changed: () => void) {
    this.root.setAttribute("aria-label", name);
    this.chart = new Chart(this.box, (zoom) => this.zoom(zoom), (reading, spoken) => this.read(reading, spoken),
                           () => this.fillLanes());
    const frame = element("div", { class: "frame" }, this.box, this.tip, this.lanes);
    this.root.append(this.controls, frame, this.spoken, this.status, this.legend, this.buttons(), this.values);
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.values.addEventListener("toggle", () => this.fillValues());
  }

  render(): void {
    this.fillControls();
    this.redraw();
  }

  /** The plot anew, the controls as they are: what a change of size or of colours needs. */
  redraw(): void {
    const table = this.table();
    const selection = select(table, this.state);
    const x = table && findColumn(table, this.state.x);
    const y = table && findColumn(table, this.state.y);
    const series = table && this.state.series ? findColumn(table, this.state.series) : undefined;
    this.spec = {
      selection, ordered: series?.type === "number", seriesUnit: series?.unit ?? "",
      x: { label: title(this.state.x, ""), unit: x?.unit ?? "", log: this.state.logX && !selection.categories },
      y: { label: title(this.state.y, ""), unit: y?.unit ?? "", log: this.state.logY },
      zoom: this.state.zoom, dark: document.documentElement.dataset.theme === "dark",
    };
    this.box.classList.toggle("empty", selection.message !== "");
    this.box.querySelector(".message")?.remove();
    if (selection.message) this.box.append(element("p", { class: "message" }, selection.message));
    this.chart.draw(this.spec);
    this.tip.hidden = true;
    this.fillLanes();
    this.describe(selection, y?.source);
    this.fillLegend();
    this.fillValues();
  }

  private table(): Table | undefined { return this.data.tables.find((t) => t.name === this.state.table); }

  private set(change: Partial<PanelState>): void {
    this.state = { ...this.state, ...change };
    delete this.state.zoom;
    this.render();
    this.changed();
  }

  private zoom(zoom: number[] | undefined): void {
    if (zoom) this.state.zoom = zoom;
    else delete this.state.zoom;
    this.redraw();
    this.changed();
  }

  private chooser(label: string, id: string, value: string, choices: Choice[], onChange: (value: string) => void): HTMLElement {
    const box = element("select", { "data-id": id });
    for (const choice of choices) box.append(new Option(choice.text, choice.value, false, choice.value === value));
    box.title = choices.find((choice) => choice.value === value)?.text ?? "";
    box.addEventListener("change", () => onChange(box.value));
    return element("label", {}, element("span", {}, label), box);
  }

  private check(label: string, id: string, on: boolean, onChange: (on: boolean) => void): HTMLElement {
    const box = element("input", { type: "checkbox", "data-id": id });
    box.checked = on;
    box.addEventListener("change", () => onChange(box.checked));
    return element("label", { class: "check" }, box, element("span", {}, label));
  }

  private fillControls(): void {
    // The control in use is made anew: the keyboard must stay on it.
    const focused = (document.activeElement as HTMLElement | null)?.dataset.id;
    const had = this.controls.contains(document.activeElement);
    this.controls.replaceChildren(...this.makeControls());
    if (had && focused) this.controls.querySelector<HTMLElement>(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  }

  private makeControls(): HTMLElement[] {
    const table = this.table();
    const out: HTMLElement[] = [];
    if (this.data.tables.length > 1) {
      out.push(this.chooser("Data", "table", this.state.table, this.data.tables.map((t) => ({ value: t.name, text: t.name })),
        (name) => {
          this.state = usualState(this.data.tables.find((t) => t.name === name), 0);
          this.set({});
        }));
    }
    if (!table) return out;
    const names = (columns: Table["columns"]) => columns.map((c) => ({ value: c.name, text: title(c.name, "") }));
    out.push(
      this.chooser("x", "x", this.state.x, names(table.columns), (x) => this.set({ x })),
      this.chooser("y", "y", this.state.y, names(table.columns.filter((c) => c.type === "number")), (y) => this.set({ y })),
      this.chooser("Lines", "series", this.state.series,
        [{ value: "", text: "one line" }, ...names(dimensions(table).filter((c) => c.name !== this.state.x))],
        (series) => this.set({ series })));
    for (const dimension of dimensions(table)) {
      if (dimension.name === this.state.x || dimension.name === this.state.series) continue;
      // Nobody chooses one of thousands from a list.
      if (count(dimension) < 2 || count(dimension) > mostChoices) continue;
      const values = distinct(dimension);
      const text = (v: string) => (dimension.type === "number" ? quantity(Number(v), dimension.unit) : v || "(none)");
      out.push(this.chooser(title(dimension.name, ""), `fixed-${dimension.name}`, this.state.fixed[dimension.name] ?? "\u0000",
        [{ value: "\u0000", text: "all (mean)" }, ...values.map((v) => ({ value: v, text: text(v) }))],
        (value) => {
          const fixed = { ...this.state.fixed };
          if (value === "\u0000") delete fixed[dimension.name];
          else fixed[dimension.name] = value;
          this.set({ fixed });
        }));
    }
    out.push(element("div", { class: "checks" },
      this.check("log x", "log-x", this.state.logX, (logX) => this.set({ logX })),
      this.check("log y", "log-y", this.state.logY, (logY) => this.set({ logY }))));
    return out;
  }

  private buttons(): HTMLElement {
    const button = (text: string, id: string, act: () => void) => {
      const out = element("button", { type: "button", "data-id": id }, text);
      out.addEventListener("click", act);
      return out;
    };
    const file = (ending: string) => `${this.state.y}-by-${this.state.x}.${ending}`;
    return element("div", { class: "buttons" },
      button("Whole range", "reset", () => this.zoom(undefined)),
      button("SVG", "svg", () => this.spec && offer(file("svg"), new Blob([toSvg(this.spec, this.data.title)], { type: "image/svg+xml" }))),
      button("PNG", "png", () => {
        const canvas = this.chart.canvas;
        if (canvas) savePng(canvas, getComputedStyle(document.body).backgroundColor, file("png"));
      }),
      button("CSV", "csv", () => this.spec && offer(file("csv"),
        new Blob([toCsv(this.spec, this.state.series, this.state.x, this.state.y)], { type: "text/csv" }))));
  }

  private describe(selection: Selection, source: string | undefined): void {
    const parts = [`${selection.rows} rows`];
    if (selection.averaged > 0) {
      parts.push(selection.free.length > 0
        ? `means over ${selection.free.map((name) => title(name, "")).join(", ")}; bars show the least and the most`
        : "means of repeated rows; bars show the least and the most");
    }
    if (source) parts.push(`${title(this.state.y, "")}: ${source}`);
    this.status.textContent = selection.message || parts.join(" · ");
    this.box.setAttribute("aria-label", `Plot of ${title(this.state.y, "")} against ${title(this.state.x, "")}, ` +
      `${selection.lines.length} lines. Arrow keys read the values; the table below has them all.`);
  }

  /** The plot tells its area once it is drawn, a moment after it was asked for. */
  private fillLanes(): void {
    this.lanes.replaceChildren();
    const table = this.table();
    const area = this.chart.area;
    if (!table?.lanes || table.lanes.x !== this.state.x || !area) return;
    this.lanes.append(drawLanes(table.lanes, area));
  }

  private fillLegend(): void {
    const spec = this.spec!;
    const lines = spec.selection.lines;
    this.legend.replaceChildren(...(lines.length < 2 ? [] : lines.slice(0, 40).map((line, i) => {
      const key = element("i", {});
      key.style.background = colourOf(spec, i);
      return element("li", {}, key, lineLabel(spec, line));
    })));
    if (lines.length > 40) this.legend.append(element("li", {}, `and ${lines.length - 40} more`));
  }

  private fillValues(): void {
    const spec = this.spec;
    if (!spec) return;
    const summary = element("summary", {}, "The values as a table");
    this.values.replaceChildren(summary);
    if (!this.values.open) return;
    const head = element("tr", {}, ...[this.state.series || "line", title(this.state.x, spec.x.unit), title(this.state.y, spec.y.unit),
      "low", "high", "rows"].map((text) => element("th", { scope: "col" }, text)));
    const body = element("tbody");
    let count = 0;
    for (const line of spec.selection.lines) {
      for (const p of line.points) {
        if (++count > mostRows) continue;
        const x = spec.selection.categories?.[p.x] ?? digits(p.x);
        body.append(element("tr", {}, ...[lineLabel(spec, line), x, digits(p.y), digits(p.low), digits(p.high), String(p.rows)]
          .map((text) => element("td", {}, text))));
      }
    }
    this.values.append(element("table", {}, element("thead", {}, head), body));
    if (count > mostRows) this.values.append(element("p", {}, `The first ${mostRows} of ${count}; the CSV has all.`));
  }

  private read(reading: Reading | null, spoken: boolean): void {
    this.tip.hidden = reading === null;
    if (!reading) return;
    this.tip.textContent = reading.text;
    this.tip.style.borderColor = reading.colour;
    const wide = this.box.clientWidth;
    this.tip.style.left = `${Math.min(reading.left + 12, Math.max(0, wide - 240))}px`;
    this.tip.style.top = `${reading.top + 12}px`;
    if (spoken) this.spoken.textContent = reading.text;
  }

  private key(event: KeyboardEvent): void {
    const steps: Record<string, [number, number]> = {
      ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1], PageDown: [10, 0], PageUp: [-10, 0],
      Home: [-1e9, 0], End: [1e9, 0],
    };
    const step = steps[event.key];
    if (step) this.chart.step(...step);
    else if (event.key === "Escape") this.zoom(undefined);
    else return;
    event.preventDefault();
  }
}
