// `Leave the study?`: the safe choice is the first one and lies where `Continue` lies elsewhere.
import { h, isDark } from "./dom";
import type { Say } from "./texts";

export class LeaveDialog {
  private readonly erase = h("input", { type: "checkbox" });
  readonly element: HTMLDialogElement;
  private readonly payment = h("p");
  private readonly stay: HTMLButtonElement;

  constructor(say: Say, private readonly leave: (erase: boolean) => void) {
    this.stay = h("button", { type: "button", class: "sa-first", onclick: () => this.element.close() }, say("leave_stay"));
    const go = h("button", { type: "button", onclick: () => this.confirm() }, say("leave_confirm"));
    const title = h("h2", { id: "sa-leave-title" }, say("leave_title"));
    this.element = h(
      "dialog",
      { class: "sa-leave-dialog", "aria-labelledby": title.id },
      title,
      h("p", {}, say("leave_body")),
      this.payment,
      h("label", { class: "sa-tick" }, this.erase, h("span", {}, say("leave_erase"))),
      h("div", { class: "sa-row" }, go, this.stay),
    );
  }

  open(payment: string): void {
    if (this.element.open) return;
    this.payment.textContent = payment;
    this.erase.checked = false;
    this.element.dataset["scheme"] = isDark(this.element) ? "dark" : "light";
    this.element.showModal();
    this.stay.focus();
  }

  private confirm(): void {
    this.element.close();
    this.leave(this.erase.checked);
  }
}
