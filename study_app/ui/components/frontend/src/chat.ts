// The assistant: history, a streamed reply, the message box.
import { type Api, readAnswer, textChunks, whyNot } from "./api";
import type { ServerClock } from "./clock";
import { type Announcer, h, isSendKey } from "./dom";
import { AgentDock, splitFrames, StepList } from "./agent";
import type { Kept } from "./kept";
import { copyButton, ReplyView } from "./reply";
import { clockFace, type Say } from "./texts";
import type { AgentAction, AgentFrame, AssistantData, Turn } from "./types";

const FAILURE_MARK = "\u001e";
const POLL_MS = 1000;
const STOP_GRACE_MS = 3000;
/** How often it is tried whether the server can be reached again, and how long its absence is said at least. */
const REACH_MS = 2000;
const SAID_MS = 6000;
/** The name of what is kept of the box; with a prefix, so that a task called `message` has its own draft. */
export const MESSAGE = "chat:message";
const PLACE_KEY = "study-app-chat-place";

export interface ChatHooks {
  /** The program at this moment: its text, its page and the number of its last event. */
  program: () => { code: string; page: string; seq: number };
  /** Resolves when the server has the events so far, or soon after. */
  settled: () => Promise<unknown>;
  log: (kind: string, payload: Record<string, unknown>) => void;
  refused: (reason: string, body: Record<string, any>) => void;
  copied: (text: string, turnId: string) => void;
  pasted: (text: string) => void;
  insert: (text: string, turnId: string) => void;
  /** For an assistant that acts. */
  agent: {
    apply: (action: AgentAction, insert: string) => boolean;
    fits: (action: AgentAction) => boolean;
    incoming: (text: string, how: "paste" | "drop") => boolean;
    flush: () => void;
  };
}

interface TurnHooks {
  copied: (text: string, turnId: string) => void;
  insert: ((text: string, turnId: string) => void) | undefined;
  /** Whether the message is asked again: not while another reply is written, or the assistant is closed. */
  retry: (message: string) => boolean;
}

/** One message and its reply on the page. */
class TurnView {
  readonly element: HTMLElement;
  private readonly reply: ReplyView;
  private readonly note = h("p", { class: "sa-note", hidden: true });
  private readonly retry: HTMLButtonElement;
  private readonly copy: HTMLButtonElement;
  readonly steps: StepList;

  constructor(readonly turn: Turn, label: string, say: Say, hooks: TurnHooks) {
    const copied = (text: string) => hooks.copied(text, turn.turn_id);
    const insert = hooks.insert && ((text: string) => hooks.insert!(text, turn.turn_id));
    this.reply = new ReplyView({ copy: say("copy"), copied: say("copied"), insert: say("insert") }, { copied, insert });
    this.retry = h("button", { type: "button", class: "sa-plain sa-small", hidden: true }, say("retry"));
    this.retry.addEventListener("click", () => {
      if (hooks.retry(turn.message)) this.retry.hidden = true;
    });
    this.copy = copyButton({ copy: say("copy_reply"), copied: say("copied") }, () => turn.reply, copied);
    const asked = h("div", { class: "sa-asked" }, h("span", { class: "sa-hidden" }, say("you")), turn.message);
    const from = h("div", { class: "sa-from" }, label);
    const foot = h("div", { class: "sa-foot" }, this.retry, this.copy);
    this.steps = new StepList(say);
    this.element = h("li", { class: "sa-turn" }, asked, from, this.reply.element, this.steps.element, this.note, foot);
    this.show();
  }

  allowRetry(allowed: boolean): void {
    this.retry.disabled = !allowed;
  }

  show(note = "", state: { growing?: boolean; failed?: boolean } = {}): void {
    this.reply.show(this.turn.reply, state.growing === true);
    this.reply.element.dataset["turn"] = this.turn.turn_id;
    this.note.hidden = !note;
    this.note.textContent = note;
    this.retry.hidden = state.failed !== true;
    this.copy.hidden = state.growing === true || !this.turn.reply.trim();
  }
}

export class Chat {
  readonly element: HTMLElement;
  private readonly list = h("ol", { class: "sa-turns" });
  private readonly box: HTMLTextAreaElement;
  private readonly sendButton: HTMLButtonElement;
  private readonly stopButton: HTMLButtonElement;
  private readonly notice = h("p", { class: "sa-notice", role: "status" });
  private readonly scroller: HTMLElement;
  private views = new Map<string, TurnView>();
  private readonly dock: AgentDock | null;
  private readonly actions = new Map<string, AgentAction>();
  private current: { abort: AbortController; view: TurnView } | null = null;
  private locked = false;
  private composing = false;
  /** A message of which the server has not said yet that it has it. */
  private asked = "";
  private readonly timer: number;

  constructor(
    private assistant: AssistantData,
    private readonly api: Api,
    private readonly say: Say,
    private readonly clock: ServerClock,
    private readonly announcer: Announcer,
    private readonly kept: Kept,
    private readonly hooks: ChatHooks,
  ) {
    this.box = h("textarea", { rows: 2, "data-act": "message", "aria-label": say("message_box"), placeholder: say("message_placeholder") });
    this.box.value = kept.get(MESSAGE);
    // Its first key is in the log of the page on which it was pressed.
    this.composing = this.box.value !== "";
    this.box.addEventListener("keydown", (event) => this.onKey(event));
    this.box.addEventListener("input", () => this.onInput());
    this.box.addEventListener("paste", (event) => this.hooks.pasted(event.clipboardData?.getData("text/plain") ?? ""));
    this.sendButton = h("button", { type: "button", class: "sa-primary", "data-act": "send", onclick: () => void this.send() }, say("send"));
    this.stopButton = h("button", { type: "button", class: "sa-plain", hidden: true, onclick: () => this.stop() }, say("stop"));
    const hint = h("span", { class: "sa-hint", "aria-hidden": "true" }, say("message_keys"));
    const bar = h("div", { class: "sa-composer-bar" }, hint, this.stopButton, this.sendButton);
    const greeting = h("p", { class: "sa-greeting" }, assistant.greeting);
    this.scroller = h("div", { class: "sa-scroll", tabindex: 0 }, greeting, this.list);
    this.scroller.addEventListener("scroll", () => this.keepPlace());
    const composer = h("div", { class: "sa-composer" }, this.box, bar);
    const agent = { ...this.hooks.agent, pasted: this.hooks.pasted, log: this.hooks.log, stop: () => this.stop() };
    this.dock = assistant.agent ? new AgentDock(say, clock, announcer, kept, agent, assistant.agent.offers_mode) : null;
    this.element = h("div", { class: "sa-chat" }, this.scroller, this.dock?.element, this.notice, composer);
    this.timer = window.setInterval(() => this.tick(), 1000);
    this.restore(assistant);
    this.tick();
  }

  get replies(): { turn_id: string; text: string }[] {
    return [...this.views.values()].map(({ turn }) => ({ turn_id: turn.turn_id, text: turn.reply }));
  }

  /** What the steps of an assistant that acts show of its making. */
  get shown(): { turn_id: string; text: string }[] {
    return [...this.actions.values()].flatMap(({ turn_id, input }) =>
      ["new", "question", "summary"].flatMap((name) => (input[name] ? [{ turn_id, text: input[name] }] : [])),
    );
  }

  /** The history as the server has it, `anew` at another stage than before; takes up a reply that is still being written. */
  restore(assistant: AssistantData, anew = false): void {
    this.assistant = assistant;
    this.dock?.showMode(assistant.agent?.without_asking === true, anew);
    if (this.current) return;
    this.views.clear();
    this.list.replaceChildren();
    for (const turn of assistant.turns) this.addTurn({ ...turn });
    const last = assistant.turns.at(-1);
    if (last && !last.complete && !last.stopped && !last.error) void this.reattach(last.turn_id);
  }

  /** As it was scrolled before a reload, else to the last message. Needs the page's layout. */
  toLast(): void {
    const kept = rememberedPlace();
    const same = kept !== null && kept.turn === this.lastTurn;
    this.scroller.scrollTop = same ? kept.top : this.scroller.scrollHeight;
  }

  private get lastTurn(): string {
    return [...this.views.keys()].at(-1) ?? "";
  }

  private keepPlace(): void {
    // A panel that is hidden reports the top.
    if (!this.scroller.clientHeight || !this.lastTurn) return;
    const place = { turn: this.lastTurn, top: Math.round(this.scroller.scrollTop) };
    try {
      sessionStorage.setItem(PLACE_KEY, JSON.stringify(place));
    } catch {
      // After a reload the last message shows.
    }
  }

  /** The question goes to the top and stays there while its reply grows below it; nothing scrolls by itself. */
  private pin(view: TurnView | null): void {
    const room = view ? Math.max(0, this.scroller.clientHeight - 20) : 0;
    this.list.style.setProperty("--last-turn", `${room}px`);
    if (view) this.scroller.scrollTop = view.element.offsetTop - 8;
  }

  lock(locked: boolean): void {
    this.locked = locked;
    this.tick();
  }

  /** Before `opens_at_ms` the assistant is closed, and says until when. */
  private tick(): void {
    const wait = this.assistant.opens_at_ms === null ? 0 : this.assistant.opens_at_ms - this.clock.now();
    const closed = wait > 0 || this.locked;
    if (this.box.readOnly !== closed) this.box.readOnly = closed;
    this.sendButton.disabled = closed || this.current !== null;
    for (const view of this.views.values()) view.allowRetry(this.mayAsk);
    this.element.classList.toggle("sa-closed", closed);
    if (wait > 0) this.notice.textContent = this.say("opens_in", { time: clockFace(wait / 1000) });
    else if (this.notice.dataset["kind"] !== "error") this.notice.textContent = "";
    this.dock?.tick();
  }

  /** The participant typed: a step that waits was for another program. */
  programChanged(): void {
    this.dock?.programChanged();
  }

  private takeFrame(view: TurnView, frame: AgentFrame): void {
    const known = this.actions.get(frame.action_id);
    const action = frame.type === "action" ? frame : known;
    if (!action) return;
    if (frame.type === "decided") action.decision = frame.decision;
    if (frame.type === "result") Object.assign(action, { result: frame.result, failed: frame.failed });
    this.actions.set(action.action_id, action);
    view.steps.show(action, this.dock?.lines(action) ?? "");
    if (frame.type === "action" && !this.locked) this.dock?.take(action);
    if (frame.type === "decided") this.dock?.decided(frame);
  }

  private takeActions(view: TurnView, actions: AgentAction[]): void {
    for (const action of actions) {
      const before = this.actions.get(action.action_id);
      if (!before) this.takeFrame(view, { type: "action", ...action });
      else if (action.decision && !before.decision) this.takeFrame(view, { type: "decided", action_id: action.action_id, decision: action.decision });
    }
  }

  private addTurn(turn: Turn): TurnView {
    const view = new TurnView(turn, this.assistant.label, this.say, {
      copied: this.hooks.copied,
      insert: this.assistant.allow_insert ? this.hooks.insert : undefined,
      retry: (message) => this.askAgain(message),
    });
    this.views.set(turn.turn_id, view);
    this.list.append(view.element);
    for (const action of turn.actions ?? []) {
      if (action.decision || turn.complete) view.steps.show(action, this.dock?.lines(action) ?? "");
    }
    view.show(turn.error ?? (turn.stopped ? this.say("reply_stopped") : ""), { failed: turn.error !== null });
    return view;
  }

  private onKey(event: KeyboardEvent): void {
    if (!isSendKey(event)) return;
    event.preventDefault();
    void this.send();
  }

  private onInput(): void {
    if (this.notice.dataset["kind"] === "error" && this.box.value) this.complain("");
    this.box.style.height = "auto";
    this.box.style.height = `${Math.min(this.box.scrollHeight + 2, 180)}px`;
    this.keep();
    const composing = this.box.value !== "";
    if (composing === this.composing) return;
    this.composing = composing;
    if (composing) this.hooks.log("compose_start", {});
    else this.hooks.log("compose_end", { sent: false });
  }

  private keep(): void {
    this.kept.set(MESSAGE, [this.asked, this.box.value].filter(Boolean).join("\n\n"));
  }

  private complain(text: string): void {
    this.notice.dataset["kind"] = text ? "error" : "";
    this.notice.textContent = text;
  }

  /** That the server was away is no longer news once it is back. */
  private async forgetOnceReachable(words: string): Promise<void> {
    const since = Date.now();
    const said = () => this.notice.textContent === words && this.element.isConnected;
    while (said()) {
      await new Promise((wait) => setTimeout(wait, REACH_MS));
      const { status } = await this.api.get("/api/chat/turns");
      if (status === 200 && Date.now() - since >= SAID_MS && said()) return this.complain("");
    }
  }

  async send(): Promise<void> {
    const message = this.box.value.trim();
    if (!message || !this.mayAsk) return;
    this.hooks.log("send_pressed", {});
    this.hooks.log("compose_end", { sent: true });
    this.composing = false;
    this.box.value = "";
    this.asked = message;
    this.onInput();
    await this.ask(message);
  }

  private get mayAsk(): boolean {
    return this.current === null && !this.sendButton.disabled;
  }

  private askAgain(message: string): boolean {
    if (!this.mayAsk) return false;
    this.hooks.log("send_pressed", { again: true });
    void this.ask(message);
    return true;
  }

  private async ask(message: string): Promise<void> {
    this.complain("");
    const turn = { turn_id: "", message, reply: "", complete: false, stopped: false, error: null };
    const view = this.addTurn(turn);
    view.show(this.say("reply_waiting", { label: this.assistant.label }), { growing: true });
    this.pin(view);
    await this.stream(view, message);
  }

  private async stream(view: TurnView, message: string): Promise<void> {
    const abort = new AbortController();
    const request = { message, ...this.hooks.program() };
    this.setCurrent({ abort, view });
    try {
      // How long the message took is logged by events, which the server must have before it.
      await this.hooks.settled();
      if (view.turn.stopped) throw new Error("stopped before it was asked");
      const response = await this.api.stream("/api/chat", request, abort.signal);
      if (response.status !== 200) return await this.turnedDown(view, response, message);
      this.identify(view, response.headers.get("x-turn-id") ?? "");
      await this.receive(view, response);
    } catch {
      if (view.turn.stopped && view.turn.turn_id) return this.finish(view, "");
      this.setCurrent(null);
      if (view.turn.turn_id && !view.turn.stopped) return await this.reattach(view.turn.turn_id);
      if (view.turn.stopped) return this.giveBack(view, message, this.say("reply_stopped"));
      this.giveBack(view, message, this.say("chat_unreachable"));
      void this.forgetOnceReachable(this.say("chat_unreachable"));
    }
  }

  private identify(view: TurnView, turnId: string): void {
    this.asked = "";
    this.keep();
    this.views.delete(view.turn.turn_id);
    view.turn.turn_id = turnId;
    this.views.set(turnId, view);
  }

  private async receive(view: TurnView, response: Response): Promise<void> {
    let text = "";
    let frame = 0;
    let taken = 0;
    const draw = () => {
      frame = 0;
      const { words, frames } = splitFrames(text, FAILURE_MARK);
      for (; taken < frames.length; taken++) this.takeFrame(view, frames[taken]!);
      view.turn.reply = words;
      view.show(text ? "" : this.say("reply_waiting", { label: this.assistant.label }), { growing: true });
    };
    for await (const chunk of textChunks(response)) {
      text += chunk;
      // A page in the background draws no frames, and a step of an agent waits for it.
      if (this.dock && document.hidden) draw();
      else frame ||= requestAnimationFrame(draw);
    }
    cancelAnimationFrame(frame);
    draw();
    const { failure } = splitFrames(text, FAILURE_MARK);
    this.finish(view, failure === null ? "" : errorOf(failure) || this.say("reply_cut"), failure !== null);
  }

  private finish(view: TurnView, note: string, failed = false): void {
    const stopped = view.turn.stopped;
    view.turn.complete = !stopped;
    // What the server notes as the turn ends comes in no frame.
    const open = this.dock?.open;
    if (open) this.takeFrame(view, { type: "decided", action_id: open.action_id, decision: stopped || failed ? "interrupted" : "expired" });
    view.show(note || (stopped ? this.say("reply_stopped") : ""), { failed: failed && !stopped });
    this.setCurrent(null);
    this.announcer.say(note || this.say(stopped ? "reply_stopped" : "reply_finished", { label: this.assistant.label }));
  }

  /** Refused before any text: the words go back into the box. */
  private async turnedDown(view: TurnView, response: Response, message: string): Promise<void> {
    const answer = await readAnswer(response);
    const { body } = answer;
    this.setCurrent(null);
    if (body["reason"] && response.status === 409) this.hooks.refused(body["reason"], body);
    const unreachable = this.say("chat_unreachable");
    const why = whyNot(answer, this.say, unreachable);
    this.giveBack(view, message, why);
    if (why === unreachable) void this.forgetOnceReachable(unreachable);
  }

  private giveBack(view: TurnView, message: string, why: string): void {
    view.element.remove();
    this.pin(null);
    this.views.delete(view.turn.turn_id);
    this.putBefore(message);
    this.asked = "";
    this.onInput();
    this.complain(why);
    this.announcer.say(why);
  }

  /** What is being typed meanwhile stays, below what comes back, with the caret where it was. */
  private putBefore(message: string): void {
    const { value, selectionStart, selectionEnd } = this.box;
    const typed = value.trim() !== "";
    this.box.value = typed ? `${message}\n\n${value}` : message;
    const moved = this.box.value.length - value.length;
    if (typed) this.box.setSelectionRange(selectionStart + moved, selectionEnd + moved);
  }

  private stop(): void {
    const current = this.current;
    if (!current) return;
    this.hooks.log("stop_pressed", { turn_id: current.view.turn.turn_id });
    current.view.turn.stopped = true;
    void this.stopOnServer(current.view.turn.turn_id);
    // The server ends the stream; where it cannot, this side does.
    setTimeout(() => this.current === current && current.abort.abort(), STOP_GRACE_MS);
  }

  /** Before the first word this page does not know the turn's id; the server does. */
  private async stopOnServer(known: string): Promise<void> {
    const { body } = known ? { body: {} } : await this.api.get("/api/chat/turns");
    const last = ((body as Record<string, any>)["turns"] as Turn[] | undefined)?.at(-1);
    const turnId = known || (last && !last.complete ? last.turn_id : "");
    if (turnId) await this.api.post("/api/chat/stop", { turn_id: turnId });
  }

  /** Follows a reply whose stream this page does not have, until it is whole. */
  private async reattach(turnId: string): Promise<void> {
    const view = this.views.get(turnId);
    if (!view) return;
    const abort = new AbortController();
    this.setCurrent({ abort, view });
    while (!abort.signal.aborted) {
      await new Promise((wait) => setTimeout(wait, POLL_MS));
      const { status, body } = await this.api.get("/api/chat/turns");
      const turn = (body["turns"] as Turn[] | undefined)?.find((each) => each.turn_id === turnId);
      if (status !== 200) continue;
      if (!turn) break;
      Object.assign(view.turn, turn, { stopped: turn.stopped || view.turn.stopped });
      this.takeActions(view, turn.actions ?? []);
      view.show(turn.reply ? "" : this.say("reply_waiting", { label: this.assistant.label }), { growing: true });
      if (turn.complete || turn.stopped || turn.error) break;
    }
    if (this.current?.view === view) this.finish(view, view.turn.error ?? "", view.turn.error !== null);
  }

  private setCurrent(current: typeof this.current): void {
    this.current = current;
    const stopHadFocus = document.activeElement === this.stopButton;
    this.stopButton.hidden = current === null;
    this.sendButton.hidden = current !== null;
    if (stopHadFocus && !current) this.box.focus();
    this.list.setAttribute("aria-busy", String(current !== null));
    if (current) this.dock?.begin();
    else this.dock?.end();
    this.tick();
  }

  destroy(): void {
    clearInterval(this.timer);
    this.dock?.destroy();
    this.current?.abort.abort();
  }
}

function rememberedPlace(): { turn: string; top: number } | null {
  try {
    return JSON.parse(sessionStorage.getItem(PLACE_KEY) ?? "null") as { turn: string; top: number } | null;
  } catch {
    return null;
  }
}

function errorOf(json: string): string {
  try {
    return String(JSON.parse(json)["error"] ?? "");
  } catch {
    return "";
  }
}
