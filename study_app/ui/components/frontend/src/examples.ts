// The visible examples: which pass, and of the others what was expected beside what came, with the difference marked.
import { h } from "./dom";
import type { Say } from "./texts";
import type { Check } from "./types";

export class Examples {
  readonly element = h("div", { class: "sa-scroll sa-examples", tabindex: 0 });
  private checks: Check[] | null = null;

  constructor(private readonly say: Say) {
    this.clear();
  }

  /** `2/4`, or nothing before they were checked. */
  get count(): string {
    return this.checks ? `${this.passed}/${this.checks.length}` : "";
  }

  get summary(): string {
    if (!this.checks?.length) return "";
    const counts = { n: this.passed, m: this.checks.length };
    return this.say(counts.n === counts.m ? "examples_all_pass" : "examples_pass", counts);
  }

  get allPass(): boolean {
    return this.checks !== null && this.passed === this.checks.length;
  }

  private get passed(): number {
    return (this.checks ?? []).filter((check) => check.passed).length;
  }

  clear(words = this.say("examples_empty")): void {
    this.checks = null;
    this.element.replaceChildren(h("p", { class: "sa-empty" }, words));
    this.element.scrollTop = 0;
  }

  show(checks: Check[]): void {
    this.checks = checks;
    this.element.replaceChildren(...examplesOf(checks, this.say));
    this.element.scrollTop = 0;
  }
}

/** A list of examples; a cause that all failing ones share is said once. */
export function examplesOf(checks: Check[], say: Say): HTMLElement[] {
  const failing = checks.filter((check) => !check.passed);
  const cause = failing[0]?.cause ?? "";
  const shared = failing.length > 1 && cause !== "" && failing.every((check) => check.cause === cause);
  const items = checks.map((check) => item(check, say, shared));
  const list = h("ul", { class: "sa-checks" }, ...items);
  return shared ? [h("p", { class: "sa-cause" }, cause), list] : [list];
}

function item(check: Check, say: Say, causeIsSaid: boolean): HTMLElement {
  const mark = h("span", { class: "sa-mark" }, say(check.passed ? "check_passed" : "check_failed"));
  const made = h("li", { class: check.passed ? "sa-pass" : "sa-fail" }, mark, h("span", { class: "sa-check-name" }, check.name));
  const parts = check.passed || causeIsSaid ? [] : details(check, say);
  if (parts.length) made.append(h("div", { class: "sa-check-message" }, ...parts));
  return made;
}

function details(check: Check, say: Say): HTMLElement[] {
  const call = check.call ? [h("code", { class: "sa-call" }, check.call)] : [];
  const { cause = "", expected = "", seen = "" } = check;
  const compared = expected !== "" || seen !== "";
  // `expected no exception, got NameError` adds nothing to the error itself.
  if (cause && (!compared || cause.startsWith(seen))) return [...call, h("p", { class: "sa-cause" }, cause)];
  if (!compared) return check.message ? [h("p", {}, check.message)] : [];
  const rows = [...call, comparison(expected, seen, say)];
  return cause ? [...rows, h("p", { class: "sa-cause" }, cause)] : rows;
}

/** Two blocks of as many rows, aligned line by line. */
function comparison(expected: string, seen: string, say: Say): HTMLElement {
  const [wanted, got] = [linesOf(expected), linesOf(seen)];
  const rows = Math.max(wanted.length, got.length);
  const none = say("no_more_lines");
  const block = (own: string[], other: string[]) =>
    Array.from({ length: rows }, (_, at) => row(own[at], other[at], none));
  return h(
    "dl",
    { class: "sa-compare" },
    h("dt", {}, say("check_expected")),
    h("dd", {}, ...block(wanted, got)),
    h("dt", {}, say("check_seen")),
    h("dd", {}, ...block(got, wanted)),
  );
}

function linesOf(text: string): string[] {
  return text === "" ? [] : text.split("\n");
}

function row(own: string | undefined, other: string | undefined, none: string): HTMLElement {
  const made = h("div", { class: "sa-compare-row" });
  if (own === undefined) made.append(h("mark", { class: "sa-nothing" }, none));
  else if (other === undefined) made.append(h("mark", {}, own || " "));
  else made.append(...marked(own, other));
  return made;
}

/** The part between the common beginning and the common end is marked. */
function marked(own: string, other: string): (Node | string)[] {
  if (own === other) return [own];
  const [mine, theirs] = [[...own], [...other]];
  const most = Math.min(mine.length, theirs.length);
  let start = 0;
  while (start < most && mine[start] === theirs[start]) start++;
  let end = 0;
  while (end < most - start && mine[mine.length - 1 - end] === theirs[theirs.length - 1 - end]) end++;
  const part = mine.slice(start, mine.length - end).join("");
  return [mine.slice(0, start).join(""), h("mark", {}, part), mine.slice(mine.length - end).join("")];
}
