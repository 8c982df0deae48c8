// Panels under tabs, by the pattern of the ARIA practices guide: arrow keys move, one tab stop. A panel that was hidden
// comes back scrolled as it was.
import { h } from "./dom";

export interface Panel {
  id: string;
  title: string;
  /** Accessible name of the panel. */
  label: string;
  body: HTMLElement;
}

export class Tabs {
  readonly list: HTMLElement;
  readonly bodies: HTMLElement[];
  private readonly tabs: HTMLButtonElement[];
  private readonly scrolled = new Map<Element, number>();
  private chosen = 0;

  /** `shown` hears of each panel that is chosen by hand. */
  constructor(
    private readonly panels: Panel[],
    private readonly shown: (id: string) => void = () => undefined,
  ) {
    this.tabs = panels.map(({ title }) => h("button", { type: "button", role: "tab", class: "sa-tab" }, title));
    this.bodies = panels.map((panel) =>
      h("div", { class: "sa-panel", id: `sa-panel-${panel.id}`, role: "tabpanel", "aria-label": panel.label }, panel.body),
    );
    this.tabs.forEach((tab, at) => tab.setAttribute("aria-controls", this.bodies[at]!.id));
    this.list = h("div", { class: "sa-tabs", role: "tablist" }, ...this.tabs);
    this.tabs.forEach((tab, at) => {
      tab.addEventListener("click", () => this.byHand(at));
      tab.addEventListener("keydown", (event) => {
        const last = this.tabs.length - 1;
        const to = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        this.byHand(to);
      });
    });
    this.show(0);
  }

  tab(id: string): HTMLButtonElement {
    return this.tabs[this.panels.findIndex((panel) => panel.id === id)]!;
  }

  select(id: string): void {
    this.show(this.panels.findIndex((panel) => panel.id === id));
  }

  private byHand(at: number): void {
    this.show(at);
    this.tabs[at]!.focus();
    this.shown(this.panels[at]!.id);
  }

  private show(chosen: number): void {
    this.keepScroll(this.bodies[this.chosen]!);
    this.chosen = chosen;
    this.tabs.forEach((tab, at) => {
      tab.setAttribute("aria-selected", String(at === chosen));
      tab.tabIndex = at === chosen ? 0 : -1;
      this.bodies[at]!.hidden = at !== chosen;
    });
    for (const box of boxes(this.bodies[chosen]!)) box.scrollTop = this.scrolled.get(box) ?? box.scrollTop;
  }

  private keepScroll(body: HTMLElement): void {
    if (body.hidden) return;
    for (const box of boxes(body)) this.scrolled.set(box, box.scrollTop);
  }

  /** A panel that is hidden now opens at its top. */
  forgetScroll(): void {
    this.scrolled.clear();
  }
}

function boxes(body: HTMLElement): Element[] {
  return [...body.querySelectorAll(".sa-scroll")];
}
