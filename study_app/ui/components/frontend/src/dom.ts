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

/**
 * Enter as it sends a text: without Shift, and not where it confirms what an input method composes. Safari ends the
 * composition before that key and says so only by the key's code.
 */
export function isSendKey(event: KeyboardEvent): boolean {
  return event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
}

/** Markup that the server made from the study's own files; never anything a participant or a model wrote. */
export function setTrustedHtml(element: HTMLElement, html: string): void {
  element.innerHTML = html;
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

export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyBySelection(text);
  }
}

/** For origins without the clipboard interface (plain http on a local network). */
function copyBySelection(text: string): void {
  const area = h("textarea", { class: "sa-hidden", "aria-hidden": "true" });
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** Numbers that this browser keeps for the page, such as widths; a full or forbidden disk keeps them for this page only. */
export function remembered(key: string): Record<string, number> {
  try {
    const found = Object.entries(JSON.parse(localStorage.getItem(key) ?? "{}") as Record<string, unknown>);
    return Object.fromEntries(found.filter((pair): pair is [string, number] => typeof pair[1] === "number"));
  } catch {
    return {};
  }
}

export function remember(key: string, values: Record<string, number>): void {
  try {
    localStorage.setItem(key, JSON.stringify({ ...remembered(key), ...values }));
  } catch {
    // Nothing is lost but the memory.
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
