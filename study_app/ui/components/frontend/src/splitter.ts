// Handles between the panes: by pointer or by keyboard, remembered on this computer, the same in every arm.
import { h, remember, remembered } from "./dom";

const STEP = 24;
const NARROWEST = 220;
/** Of the window: neither side pane takes more, so that the editor keeps its room. */
const WIDEST = 0.38;
const KEY = "study-app-panes";

export type Pane = "brief" | "side";
type Widths = Partial<Record<Pane, number>>;
/** Rows of the middle pane: neither the editor nor the output can be closed. */
const LOWEST = 90;

export class Splitter {
  private widths: Widths = remembered(KEY);

  /** `resized` hears of each finished change, with the widths in pixels. */
  constructor(
    private readonly panes: HTMLElement,
    private readonly resized: (widths: Record<Pane, number>) => void,
  ) {
    this.apply();
  }

  /** The handle at the inner edge of a pane; call it once for each. */
  handle(pane: Pane, element: HTMLElement, label: string): void {
    const attributes = { role: "separator", tabindex: 0, "aria-orientation": "vertical", "aria-label": label };
    const handle = h("div", { class: `sa-splitter sa-splitter-${pane}`, ...attributes });
    const measure = () => {
      const [width, whole] = [element.getBoundingClientRect().width, this.panes.clientWidth || 1];
      handle.setAttribute("aria-valuenow", String(Math.round((100 * width) / whole)));
      return width;
    };
    handle.setAttribute("aria-valuemin", "0");
    handle.setAttribute("aria-valuemax", String(100 * WIDEST));
    handle.addEventListener("focus", measure);
    handle.addEventListener("keydown", (event) => {
      const towards = pane === "brief" ? 1 : -1;
      const steps: Record<string, number> = { ArrowRight: towards * STEP, ArrowLeft: -towards * STEP, Home: -1e4, End: 1e4 };
      const step = steps[event.key];
      if (step === undefined) return;
      event.preventDefault();
      this.set(pane, measure() + step);
      measure();
      this.finish();
    });
    handle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      handle.setPointerCapture(event.pointerId);
      const [start, width, towards] = [event.clientX, measure(), pane === "brief" ? 1 : -1];
      handle.onpointermove = (move) => this.set(pane, width + towards * (move.clientX - start));
      handle.onpointerup = handle.onpointercancel = () => {
        handle.onpointermove = handle.onpointerup = handle.onpointercancel = null;
        this.finish();
      };
    });
    handle.addEventListener("dblclick", () => {
      this.widths = {};
      this.apply();
      this.finish();
    });
    element.append(handle);
    requestAnimationFrame(measure);
  }

  private set(pane: Pane, width: number): void {
    const widest = Math.floor(this.panes.clientWidth * WIDEST);
    // From the first change on both stand fixed: moving one edge must not move the other.
    this.widths = { ...this.measured(), ...this.widths };
    this.widths[pane] = Math.round(Math.min(widest, Math.max(NARROWEST, width)));
    this.apply();
  }

  private apply(): void {
    for (const pane of ["brief", "side"] as const) {
      const width = this.widths[pane];
      if (width === undefined) this.panes.style.removeProperty(`--${pane}-width`);
      else this.panes.style.setProperty(`--${pane}-width`, `min(${width}px, ${100 * WIDEST}%)`);
    }
  }

  private finish(): void {
    const { brief = NaN, side = NaN } = this.widths;
    remember(KEY, { brief, side });
    this.resized(this.measured());
  }

  private measured(): Record<Pane, number> {
    const width = (name: string) => Math.round(this.panes.querySelector(name)?.getBoundingClientRect().width ?? 0);
    return { brief: width(".sa-brief"), side: width(".sa-side") };
  }
}

/** The handle between the editor and the output: up and down by pointer or keyboard. */
export class RowSplitter {
  readonly handle: HTMLElement;

  /** `resized` hears of each finished change, with the lower part's height in pixels. */
  constructor(
    private readonly middle: HTMLElement,
    private readonly lower: HTMLElement,
    label: string,
    private readonly resized: (height: number) => void,
  ) {
    const attributes = { role: "separator", tabindex: 0, "aria-orientation": "horizontal", "aria-label": label };
    this.handle = h("div", { class: "sa-row-splitter", "aria-valuemin": 0, "aria-valuemax": 100, ...attributes });
    this.handle.addEventListener("focus", () => this.measure());
    this.handle.addEventListener("keydown", (event) => this.onKey(event));
    this.handle.addEventListener("pointerdown", (event) => this.onPointer(event));
    this.handle.addEventListener("dblclick", () => {
      this.apply(NaN);
      this.finish();
    });
    this.apply(remembered(KEY)["output"] ?? NaN);
    requestAnimationFrame(() => this.measure());
  }

  private measure(): number {
    const { height } = this.lower.getBoundingClientRect();
    this.handle.setAttribute("aria-valuenow", String(Math.round((100 * height) / (this.middle.clientHeight || 1))));
    return height;
  }

  private onKey(event: KeyboardEvent): void {
    const steps: Record<string, number> = { ArrowUp: STEP, ArrowDown: -STEP, Home: 1e4, End: -1e4 };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    this.apply(this.measure() + step);
    this.finish();
  }

  private onPointer(event: PointerEvent): void {
    event.preventDefault();
    this.handle.setPointerCapture(event.pointerId);
    const [start, height] = [event.clientY, this.measure()];
    this.handle.onpointermove = (move) => this.apply(height + start - move.clientY);
    this.handle.onpointerup = this.handle.onpointercancel = () => {
      this.handle.onpointermove = this.handle.onpointerup = this.handle.onpointercancel = null;
      this.finish();
    };
  }

  /** Not a number: the share that the page gives by itself. */
  private apply(height: number): void {
    if (Number.isNaN(height)) return void this.middle.style.removeProperty("--output-height");
    const most = this.middle.clientHeight ? this.middle.clientHeight - LOWEST - this.around() : height;
    const fitting = Math.round(Math.max(LOWEST, Math.min(height, Math.max(LOWEST, most))));
    this.middle.style.setProperty("--output-height", `${fitting}px`);
  }

  /** Heights of the bars, which stay as they are. */
  private around(): number {
    const bars = [...this.middle.querySelectorAll<HTMLElement>(".sa-tools, .sa-runbar")];
    return bars.reduce((sum, bar) => sum + bar.offsetHeight, 0);
  }

  private finish(): void {
    const set = this.middle.style.getPropertyValue("--output-height");
    remember(KEY, { output: set ? parseFloat(set) : NaN });
    this.resized(Math.round(this.measure()));
  }
}
