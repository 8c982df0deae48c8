// The few lines that stand in for a user interface framework.

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | null | undefined | ((event: any) => void)>;

/** An element with attributes, listeners (`onclick`) and children; text is always text, never markup. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

/** Markup that the server made from the study's own files; never anything a participant or a model wrote. */
export function setTrustedHtml(element: HTMLElement, html: string): void {
  element.innerHTML = html;
}

/** Scrolls to the end on `follow()` unless the reader has scrolled away from it. */
export class StickyEnd {
  private atEnd = true;

  constructor(private readonly box: HTMLElement) {
    box.addEventListener("scroll", () => {
      this.atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 24;
    });
  }

  follow(force = false): void {
    if (force) this.atEnd = true;
    if (this.atEnd) this.box.scrollTop = this.box.scrollHeight;
  }
}

/** Says things to screen readers, politely. */
export class Announcer {
  readonly element = h("div", { class: "sa-hidden", "aria-live": "polite" });

  say(text: string): void {
    this.element.textContent = "";
    // A change in a later frame is announced even when the same words come twice.
    setTimeout(() => (this.element.textContent = text), 60);
  }
}

/** Whether the page around us is drawn light on dark. */
export function isDark(element: HTMLElement): boolean {
  const probe = h("span", { style: "display:none;color:var(--st-background-color)" });
  element.append(probe);
  const declared = getComputedStyle(element).getPropertyValue("--st-background-color").trim();
  const [r, g, b] = (getComputedStyle(probe).color.match(/[\d.]+/g) ?? []).map(Number);
  probe.remove();
  if (!declared || r === undefined || g === undefined || b === undefined) {
    return matchMedia("(prefers-color-scheme: dark)").matches;
  }
  return 0.299 * r + 0.587 * g + 0.114 * b < 128;
}
