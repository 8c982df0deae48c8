// Entry of the component `actions`: what can be pressed on a page that asks nothing, and `Leave the study` on every page.
import { Repeater } from "./advance";
import { Api } from "./api";
import { h, isDark } from "./dom";
import { LeaveDialog } from "./leave";
import styles from "./page.css";
import { Press } from "./press";
import { Sweep } from "./sweep";
import { sayer } from "./texts";
import type { ActionsData, ButtonData, ComponentArgs, CopyData } from "./types";

/** After this long on a page that has been left, Streamlit will not draw the next any more: load it anew. */
const STUCK_MS = 20_000;
const COPIED_MS = 2500;

class Actions {
  readonly host = h("div", { class: "sa-page" });
  private readonly say = sayer(() => this.args.data.texts);
  private readonly words = h("p", { class: "sa-say", role: "status" });
  private readonly tick = h("input", { type: "checkbox" });
  private readonly went = new Repeater<{ n: number }>((value) => this.args.setTriggerValue("went", value));
  private readonly dialog: LeaveDialog;
  private press: Press | null = null;
  private swept: Sweep | null = null;
  private stuck: number | undefined;
  private drawn = "";

  constructor(private args: ComponentArgs<ActionsData>) {
    this.dialog = new LeaveDialog(this.say, (erase) => this.send("leave", { erase }));
    window.addEventListener("study-leave", this.openDialog);
  }

  attend(args: ComponentArgs<ActionsData>): void {
    this.args = args;
    this.host.dataset["scheme"] = isDark(this.host) ? "dark" : "light";
    const drawing = JSON.stringify(args.data);
    if (drawing !== this.drawn) {
      this.draw();
      this.sweep(args.data);
    }
    this.drawn = drawing;
    this.pin();
  }

  private sweep({ forget, api }: ActionsData): void {
    this.swept?.stop();
    this.swept = forget ? new Sweep(new Api(api, forget.page_key), forget) : null;
  }

  private draw(): void {
    const { buttons, pledge, copies, link, leave } = this.args.data;
    this.release();
    this.words.textContent = "";
    this.tick.checked = false;
    this.tick.onchange = () => this.missing(false);
    const row = h("div", { class: "sa-row" }, ...buttons.map((button) => this.button(button)));
    const foot = leave?.button && h("button", { type: "button", onclick: this.openDialog }, this.say("leave_button"));
    this.host.replaceChildren(
      h("style", {}, styles),
      ...copies.map((copy) => this.copy(copy)),
      ...(link ? [h("p", {}, h("a", { class: "sa-act sa-first", href: link.href }, link.label))] : []),
      ...(pledge ? [h("label", { class: "sa-tick", "data-act": "pledge" }, this.tick, h("span", {}, pledge))] : []),
      ...(buttons.length ? [row] : []),
      this.words,
      ...(foot ? [h("div", { class: "sa-foot" }, foot)] : []),
      ...(leave ? [this.dialog.element] : []),
    );
  }

  /** Both answers of a long page stay in sight. */
  private pin(): void {
    this.host.classList.toggle("sa-pinned", this.args.data.pinned);
    const box = this.host.closest<HTMLElement>('[data-testid="stElementContainer"]');
    if (box) Object.assign(box.style, this.args.data.pinned ? { position: "sticky", bottom: "0", zIndex: "5" } : {});
  }

  private button({ act, label, first }: ButtonData): HTMLElement {
    return h("button", { type: "button", class: first ? "sa-first" : "", "data-act": act, onclick: () => this.pressed(act) }, label);
  }

  private pressed(act: string): void {
    if (this.args.data.pledge && !this.tick.checked) {
      this.missing(true);
      this.tick.focus();
      return;
    }
    this.send(act, { pledged: this.tick.checked });
  }

  private missing(missing: boolean): void {
    this.words.textContent = missing ? this.say("pledge_missing") : "";
    this.tick.setAttribute("aria-invalid", String(missing));
    this.tick.parentElement?.toggleAttribute("data-missing", missing);
  }

  private send(act: string, more: Record<string, unknown>): void {
    if (this.press || this.went.running) return;
    const { stage, api, page_key } = this.args.data;
    this.busy(true);
    this.press = new Press(new Api(api, page_key), { stage, act, ...more }, {
      waiting: () => (this.words.textContent = this.say("press_waiting")),
      done: () => this.onward(),
      refused: (message) => {
        this.press = null;
        this.busy(false);
        this.words.textContent = message;
      },
    });
  }

  private onward(): void {
    this.words.textContent = this.say("one_moment");
    this.went.start({});
    this.stuck = window.setTimeout(() => location.reload(), STUCK_MS);
  }

  private busy(busy: boolean): void {
    for (const button of this.host.querySelectorAll("button")) button.setAttribute("aria-disabled", String(busy));
  }

  private copy({ title, value, address, hint }: CopyData): HTMLElement {
    const text = address ? new URL(value, document.baseURI).href : value;
    const shown = h("span", { class: address ? "code-box sa-long" : "code-box" }, text);
    const button = h("button", { type: "button", onclick: () => void copied() }, this.say("copy"));
    const copied = async () => {
      const done = await copyText(text, shown);
      button.textContent = this.say(done ? "copied" : "copy_failed");
      setTimeout(() => (button.textContent = this.say("copy")), COPIED_MS);
    };
    return h("div", { class: "sa-copy" }, h("b", {}, title), h("div", { class: "sa-row" }, shown, button), h("p", {}, hint));
  }

  private readonly openDialog = (event?: Event): void => {
    const leave = this.args.data.leave;
    if (!leave || !this.host.isConnected) return;
    event?.preventDefault();
    this.dialog.open(leave.payment);
  };

  private release(): void {
    this.press?.cancel();
    this.press = null;
    this.went.stop();
    clearTimeout(this.stuck);
  }

  destroy(): void {
    this.release();
    this.swept?.stop();
    window.removeEventListener("study-leave", this.openDialog);
  }
}

/** Outside a secure origin there is no clipboard; the text is selected then, ready for the keyboard. */
async function copyText(text: string, shown: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection()?.selectAllChildren(shown);
    return document.execCommand("copy");
  }
}

const mounted = new WeakMap<HTMLElement, Actions>();

export default function actions(args: ComponentArgs<ActionsData>): () => void {
  const parent = args.parentElement;
  const shown = mounted.get(parent) ?? new Actions(args);
  if (!mounted.has(parent)) {
    mounted.set(parent, shown);
    parent.append(shown.host);
  }
  shown.attend(args);
  return () => {
    setTimeout(() => {
      if (shown.host.isConnected || mounted.get(parent) !== shown) return;
      mounted.delete(parent);
      shown.destroy();
    }, 0);
  };
}
