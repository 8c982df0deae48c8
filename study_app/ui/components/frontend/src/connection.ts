// Says on pages without their own log that the server cannot be reached.
import { h, isDark } from "./dom";
import styles from "./page.css";

const PATIENCE_MS = 1500;
const LOOK_MS = 500;
/** Screens that say it themselves, beside the state of saving. */
const OWN_WORDS = ".sa-room, .sa-form";

/** One for the page; Streamlit marks the state of its connection on the app's root. */
export class Connection {
  private readonly bar = h("div", { class: "sa-connection", role: "status" });
  private since: number | null = null;
  text = "";

  constructor() {
    document.body.append(h("style", {}, styles), this.bar);
    window.setInterval(() => this.look(), LOOK_MS);
    for (const name of ["online", "offline"]) window.addEventListener(name, () => this.look());
  }

  private look(): void {
    const state = document.querySelector("[data-test-connection-state]")?.getAttribute("data-test-connection-state");
    const away = !navigator.onLine || (state !== undefined && state !== null && state !== "CONNECTED");
    if (!away) this.since = null;
    else this.since ??= performance.now();
    const shown = this.since !== null && performance.now() - this.since > PATIENCE_MS;
    const words = shown && !document.querySelector(OWN_WORDS) ? this.text : "";
    if (this.bar.textContent === words) return;
    this.bar.dataset["scheme"] = isDark(this.bar) ? "dark" : "light";
    this.bar.textContent = words;
  }
}
