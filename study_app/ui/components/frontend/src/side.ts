// The right pane: the library's notes in every arm, with the assistant before them where the arm has one.
import { h, setTrustedHtml } from "./dom";
import { highlightBlocks } from "./highlight";
import { type Panel, Tabs } from "./tabs";
import type { Say } from "./texts";

/** Notes as a list of sections that open one by one, whether or not the server made it one. */
export class Notes {
  readonly element = h("div", { class: "sa-scroll sa-prose sa-notes", "data-source": "notes", tabindex: 0 });
  private shown: string | null = null;

  constructor(private readonly opened: (title: string) => void) {
    this.element.addEventListener("toggle", (event) => this.onToggle(event.target), true);
  }

  show(html: string): void {
    if (html === this.shown) return;
    this.shown = html;
    setTrustedHtml(this.element, html);
    if (!this.element.querySelector("details")) fold(this.element);
    highlightBlocks(this.element);
  }

  /** Closed and at its top, as for a new task. */
  reset(): void {
    for (const section of this.element.querySelectorAll("details")) section.open = false;
    this.element.scrollTop = 0;
  }

  get text(): string {
    return this.element.textContent ?? "";
  }

  private onToggle(target: EventTarget | null): void {
    if (target instanceof HTMLDetailsElement && target.open) {
      this.opened(target.querySelector("summary")?.textContent?.trim() ?? "");
    }
  }
}

/** Each heading of the highest level becomes the summary of what follows it. */
function fold(root: HTMLElement): void {
  const level = ["H1", "H2", "H3"].find((name) => root.querySelectorAll(`:scope > ${name}`).length > 1);
  if (!level) return;
  let section: HTMLDetailsElement | null = null;
  for (const node of [...root.childNodes]) {
    if (node.nodeName === level) {
      section = h("details", {}, h("summary", {}, node.textContent));
      root.insertBefore(section, node);
      node.remove();
    } else {
      section?.append(node);
    }
  }
}

export function tabbed(label: string, panels: Panel[], shown: (id: string) => void): HTMLElement {
  const tabs = new Tabs(panels, shown);
  return h("section", { class: "sa-side", "aria-label": label }, tabs.list, ...tabs.bodies);
}

export function untabbed(label: string, body: HTMLElement): HTMLElement {
  return h("section", { class: "sa-side", "aria-label": label }, h("h2", {}, label), h("div", { class: "sa-panel" }, body));
}

/** A question before something that cannot be undone. Resolves to whether it was confirmed. */
export function ask(root: HTMLElement, say: Say, title: string, details: Node[], confirm: string): Promise<boolean> {
  return new Promise((give) => {
    const dialog = h("dialog", { class: "sa-dialog", "aria-label": title });
    const close = (answer: string) => () => dialog.close(answer);
    dialog.append(
      h("h2", {}, title),
      ...details,
      h(
        "div",
        { class: "sa-dialog-bar" },
        h("button", { type: "button", class: "sa-plain", onclick: close("yes") }, confirm),
        h("button", { type: "button", class: "sa-primary", autofocus: true, onclick: close("back") }, say("keep_working")),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      give(dialog.returnValue === "yes");
    });
    root.append(dialog);
    dialog.showModal();
  });
}
