// Handles between the panes: by pointer or by keyboard, remembered on this computer, the same in every arm.
import { h } from "./dom";

const STEP = 24;
const NARROWEST = 220;
/** Of the window: neither side pane takes more, so that the editor keeps its room. */
const WIDEST = 0.38;
const KEY = "study-app-panes";

export type Pane = "brief" | "side";
type Widths = Partial<Record<Pane, number>>;

export class Splitter {
  private widths: Widths = remembered();

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
    try {
      localStorage.setItem(KEY, JSON.stringify(this.widths));
    } catch {
      // A full or forbidden disk: the widths hold for this page only.
    }
    this.resized(this.measured());
  }

  private measured(): Record<Pane, number> {
    const width = (name: string) => Math.round(this.panes.querySelector(name)?.getBoundingClientRect().width ?? 0);
    return { brief: width(".sa-brief"), side: width(".sa-side") };
  }
}

function remembered(): Widths {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Record<string, unknown>;
    const usable = (name: Pane) => (typeof found[name] === "number" ? { [name]: found[name] } : {});
    return { ...usable("brief"), ...usable("side") };
  } catch {
    return {};
  }
}
