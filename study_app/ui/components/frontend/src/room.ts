// The workspace: puts the parts together and keeps them in step with the server.
import { Probes } from "./affect";
import { type Advance, Repeater } from "./advance";
import { Api } from "./api";
import { Chat, MESSAGE } from "./chat";
import { Countdown, ServerClock } from "./clock";
import { Announcer, h, isDark, setTrustedHtml } from "./dom";
import { Editor, LONGEST } from "./editor";
import { HonestExit } from "./exit";
import { highlightBlocks } from "./highlight";
import { Kept } from "./kept";
import { EventLog, type Saving } from "./log";
import { recordPresence } from "./presence";
import { ProgressLine } from "./progress";
import { Provenance } from "./provenance";
import { newerDraft } from "./recover";
import { Runner } from "./runner";
import { ask, Notes, tabbed, untabbed } from "./side";
import { RowSplitter, Splitter } from "./splitter";
import { Store } from "./store";
import { Submission } from "./submit";
import { pageLanguage, type Say, sayer } from "./texts";
import { EditorTools, phrasesOf } from "./tools";
import type { AgentAction, ComponentArgs, ServerState, WorkspaceData } from "./types";
import { type Lock, Veil } from "./veil";

const SCROLL_LOG_MS = 3000;
const SETTLE_MS = 4000;
const ASK_SETTLE_MS = 1500;
const SUBMIT_MS = 60_000;
const NOTE_MS = 7000;
const TIME_NOTE_MS = 20_000;
/** How long it is said that the time is over, unless the participant goes on before. */
const EXPIRED_MS = 5000;

export class Room {
  readonly element: HTMLElement;
  private readonly say: Say;
  private readonly api: Api;
  private readonly clock = new ServerClock();
  private readonly announcer = new Announcer();
  private readonly log: EventLog;
  private readonly countdown: Countdown;
  private readonly editor: Editor;
  private readonly runner: Runner;
  private readonly chat: Chat | null;
  private readonly notes: Notes;
  private readonly provenance: Provenance;
  private readonly advance: Repeater<Advance>;
  private readonly endings: (() => void)[] = [];
  private readonly step = h("span", { class: "sa-step" });
  private readonly part = new ProgressLine(() => ((this.shownDeadline() ?? this.clock.now()) - this.clock.now()) / 60_000);
  private readonly title = h("h1");
  private readonly saving = h("div", { class: "sa-saving", role: "status" });
  private readonly brief = h("div", { class: "sa-scroll sa-prose", "data-source": "brief", tabindex: 0 });
  private readonly note = h("div", { class: "sa-note-line", role: "status" });
  private readonly timeNote = h("div", { class: "sa-time-note", hidden: true });
  private readonly tools: EditorTools;
  private noteTimer = 0;
  private expiryTimer = 0;
  private readonly panes = h("div", { class: "sa-panes" });
  private readonly submission: Submission;
  private readonly exit: HonestExit | null;
  private readonly veil: Veil;
  private readonly probes: Probes;
  /** Time left while the clock stands still. */
  private frozen: number | null = null;
  private focusedBefore: HTMLElement | null = null;
  private readonly locks = new Set<Lock>();
  private deadline: number | null;
  private lastProbe = 0;
  private ending: Advance["reason"] | null = null;
  private task = "";

  /** Prepares the disk first, so that unsent work of an earlier page is in the editor from the start. */
  static async open(args: ComponentArgs<WorkspaceData>): Promise<Room> {
    const store = await Store.open(args.data.page_key);
    const [leftovers, drafts] = await Promise.all([store.leftovers(), store.drafts()]);
    const recovered = newerDraft(drafts.get(args.data.task.id) ?? null, leftovers, args.data.doc);
    const room = new Room(args, store, recovered, new Kept(store, drafts));
    room.log.adopt(leftovers, (name) => room.needs(name));
    room.log.start();
    return room;
  }

  private constructor(
    private args: ComponentArgs<WorkspaceData>,
    store: Store,
    recovered: string | null,
    private readonly kept: Kept,
  ) {
    const data = args.data;
    this.say = sayer(() => this.args.data.texts);
    this.api = new Api(data.api, data.page_key);
    this.deadline = data.deadline_ms;
    this.clock.drawn(data.now_ms);
    this.log = new EventLog(this.api, store, this.clock, data.page_key, {
      saving: (state, durable, status) => this.showSaving(state, durable, status),
      server: (state) => this.heard(state),
      refused: (reason) => this.refused(reason),
      reload: () => this.logText("saved"),
    });
    this.advance = new Repeater<Advance>((value) => this.args.setTriggerValue("advance", value));
    this.element = h("div", { class: "sa-room" });
    this.countdown = new Countdown(this.say, this.clock, () => this.shownDeadline(), {
      zero: () => this.timeIsUp(),
      warn: (text, urgent) => this.warn(text, urgent),
    });
    this.runner = new Runner(this.api, this.say, this.announcer, {
      program: () => this.program(),
      page: () => this.log.page,
      tooLong: () => this.tooLong(),
      pressed: (what) => this.log.add(what, {}),
      refused: (reason, body) => this.refusedElsewhere(reason, body),
      showLine: (line) => this.editor.showLine(line),
      markLine: (line, why) => this.editor?.markLine(line, why),
    });
    this.notes = new Notes((title) => this.log.add("notes_opened", { title }));
    this.chat = data.assistant ? this.makeChat() : null;
    this.submission = new Submission(this.element, this.say, {
      send: (confirm) => this.submit({ confirm }),
      accepted: () => this.over("submitted"),
      refused: (reason, body) => this.refusedElsewhere(reason, body),
      failed: (why) => this.tell(why),
    });
    this.exit = data.offers_exit ? this.makeExit() : null;
    this.veil = new Veil(this.panes, this.say, this.announcer);
    this.probes = new Probes(this.api, this.say, {
      page: () => this.log.page,
      left: () => (this.deadline === null ? null : this.deadline - this.clock.now()),
      free: () => this.locks.size === 0 && document.visibilityState === "visible" && !this.element.querySelector("dialog[open]"),
      settled: () => this.log.settle(ASK_SETTLE_MS),
      heard: (state) => this.heard(state),
      refused: (reason, body) => this.refusedElsewhere(reason, body),
      covers: (on) => this.coverForProbe(on),
    });
    this.tools = new EditorTools(this.element, this.say, {
      find: () => this.editor.find(),
      starter: () => void this.backToStarter(),
    });
    const editorPane = this.build();
    this.editor = new Editor(
      editorPane,
      { label: this.say("code_editor"), help: "sa-editor-help", phrases: phrasesOf(this.say) },
      {
        edit: (edit, text) => {
          this.log.add("edit", { task: this.task, ...edit }, text);
          if (edit.kind !== "agent") this.chat?.programChanged();
        },
        focus: (focused) => this.log.add(focused ? "editor_focus" : "editor_blur", {}),
        run: () => void this.runner.run(),
        allow: (text, how) => this.allowPaste(text, how),
        full: () => this.full(),
      },
      recovered ?? data.doc,
    );
    this.provenance = new Provenance(this.log, this.element, () => this.sources(), () => this.editor.selection());
    this.showTask(recovered === null ? data.doc_source : "saved");
    this.endings.push(recordPresence(this.log), this.recordScrolling());
    this.showSaving("saved", true);
    this.attend(args);
    if (args.data.notice) this.tell(args.data.notice, true);
  }

  /** Whether a draft of this name may still be taken up: this task's, and words in its boxes. */
  private needs(name: string): boolean {
    return name === this.task || (isWords(name) && (!name.startsWith("cannot:") || name === `cannot:${this.task}`));
  }

  /** The element is on the page: what depends on sizes can be done. */
  placed(): void {
    this.chat?.toLast();
  }

  /** Called for every run of the script: the editor of the same task is never touched. */
  attend(args: ComponentArgs<WorkspaceData>): void {
    const before = this.args.data;
    this.args = args;
    const data = args.data;
    this.element.dataset["scheme"] = isDark(this.element) ? "dark" : "light";
    this.deadline = data.deadline_ms;
    this.clock.drawn(data.now_ms);
    this.notes.show(data.notes_html);
    this.countdown.showScope(data.time_scope ?? "");
    this.part.show(data.progress ?? null);
    this.probes.plan(data.probes ?? null);
    this.tools.offerStarter(data.starter !== undefined);
    const moved = before.task.id !== data.task.id || before.stage !== data.stage || before.step !== data.step;
    if (moved) this.startTask(before);
    else this.probe();
    this.countdown.tick();
  }

  private startTask(before: WorkspaceData): void {
    const { data } = this.args;
    this.advance.stop();
    this.stopExpiry();
    this.ending = null;
    for (const lock of ["deadline", "submitted", "stage"] as const) this.locks.delete(lock);
    if (this.task !== data.task.id) {
      const over = this.task;
      // The message box goes on to the next task.
      this.log.forgetDrafts((name) => name === over || (isWords(name) && name !== MESSAGE));
      this.editor.load(data.doc);
      this.showTask(data.doc_source);
      this.notes.reset();
      this.runner.open();
      const { index, count, title } = data.task;
      if (before.stage === data.stage) this.tell(this.say("task_submitted", { n: before.task.index, next: index, m: count, title }), true);
    }
    if (data.assistant) this.chat?.restore(data.assistant, before.stage !== data.stage);
    this.chat?.toLast();
    this.applyLocks();
    this.log.reopen();
  }

  private showTask(source: "saved" | "starter"): void {
    const { task, stage_title, last_run } = this.args.data;
    this.task = task.id;
    this.element.dataset["task"] = task.id;
    this.exit?.show(task.id);
    this.step.textContent = task.count > 1 ? this.say("task_of", { n: task.index, m: task.count }) : stage_title;
    this.title.textContent = task.title;
    setTrustedHtml(this.brief, task.brief_html);
    const heading = this.brief.firstElementChild;
    if (heading?.matches("h1, h2") && heading.textContent?.trim() === task.title) heading.remove();
    highlightBlocks(this.brief);
    for (const block of this.brief.querySelectorAll("pre")) block.tabIndex = 0;
    this.brief.scrollTop = 0;
    this.runner.restore(last_run);
    const editor = this.editor;
    this.log.document = { task: task.id, text: () => editor.text };
    this.logText(source);
  }

  /** The whole text: from here on the edits are its edits. */
  private logText(source: "saved" | "starter"): void {
    const { text } = this.editor;
    this.log.add("load", { task: this.task, text, source }, text);
  }

  private build(): HTMLElement {
    const { data } = this.args;
    const leave = h("button", { type: "button", class: "sa-quiet", onclick: () => this.leave() }, this.say("leave"));
    const where = h("div", { class: "sa-where" }, this.step, this.title, this.part.element);
    const top = h("header", { class: "sa-top" }, where, this.saving, this.countdown.element, data.can_leave && leave, this.submission.button);
    const instructions = h("section", { class: "sa-brief", "aria-label": this.say("instructions") });
    instructions.append(h("h2", {}, this.say("instructions")), this.brief);
    if (this.exit) instructions.append(h("div", { class: "sa-exit-bar" }, this.exit.button));
    const editorPane = h("div", { class: "sa-editor" });
    const help = h("div", { class: "sa-hidden", id: "sa-editor-help" }, this.say("editor_help"));
    const middle = h("div", { class: "sa-middle" }, this.tools.element, editorPane, help, this.note);
    const rows = new RowSplitter(middle, this.runner.output, this.say("resize_lower"), (output) =>
      this.log.add("panes_resized", { output }),
    );
    // After Run in the order of the keyboard, above it on the page.
    this.runner.bar.append(rows.handle);
    middle.append(this.runner.bar, this.runner.output);
    const side = this.side();
    this.panes.append(instructions, middle, side);
    const splitter = new Splitter(this.panes, (widths) => this.log.add("panes_resized", widths));
    splitter.handle("brief", instructions, this.say("resize_left"));
    splitter.handle("side", side, this.say("resize_right"));
    this.element.append(top, this.timeNote, this.panes, this.announcer.element, this.veil.element, this.probes.element);
    return editorPane;
  }

  private side(): HTMLElement {
    const notesTitle = this.say("notes");
    const { assistant } = this.args.data;
    if (!this.chat || !assistant) return untabbed(notesTitle, this.notes.element);
    const panels = [
      { id: "chat", title: this.say("assistant"), label: this.say("conversation"), body: this.chat.element },
      { id: "notes", title: notesTitle, label: notesTitle, body: this.notes.element },
    ];
    return tabbed(this.say("assistant"), panels, (id) => {
      if (id === "notes") this.log.add("notes_opened", { title: "" });
    });
  }

  private makeExit(): HonestExit {
    return new HonestExit(this.element, this.kept, this.say, {
      send: (reason) => this.submit({ impossible: reason }),
      accepted: () => this.over("submitted"),
      refused: (reason, body) => this.refusedElsewhere(reason, body),
    });
  }

  private makeChat(): Chat {
    return new Chat(this.args.data.assistant!, this.api, this.say, this.clock, this.announcer, this.kept, {
      program: () => ({ code: this.editor.text, page: this.log.page, seq: this.log.last }),
      settled: () => this.log.settle(ASK_SETTLE_MS),
      log: (kind, payload) => this.log.add(kind, payload),
      refused: (reason, body) => this.refusedElsewhere(reason, body),
      copied: (text, turnId) => {
        this.provenance.remember(text, { from: "reply", turn_id: turnId });
        this.log.add("copy_reply", { turn_id: turnId, text: text.slice(0, 20_000), how: "button" });
      },
      pasted: (text) => this.provenance.attempt(text, "paste", "message"),
      insert: (text, turnId) => this.insertReply(text, turnId),
      agent: {
        apply: (action, insert) => this.applyAction(action, insert),
        fits: (action) => this.fits(action),
        incoming: (text, how) => this.allowPaste(text, how),
        flush: () => void this.log.flush(),
      },
    });
  }

  /** Code of a reply straight into the editor: a paste from the assistant, and logged as one. */
  private insertReply(text: string, turnId: string): void {
    if (this.locks.size) return;
    const code = text.endsWith("\n") ? text : `${text}\n`;
    if (this.editor.text.length + code.length >= LONGEST) return this.full();
    this.provenance.inserted(code, turnId);
    this.editor.insertBlock(code, "input.paste.reply");
  }

  /** Whether the program is the one that a change of an agent was made for; the server compares all of it. */
  private fits({ start, end, length, input }: AgentAction): boolean {
    const { text } = this.editor;
    return start !== null && end !== null && text.length === length && text.slice(start, end) === input["old"];
  }

  private applyAction(action: AgentAction, insert: string): boolean {
    if (this.locks.size || !this.fits(action)) return false;
    return this.editor.applyAction(action.start!, action.end!, insert, action.action_id);
  }

  private async backToStarter(): Promise<void> {
    const { starter } = this.args.data;
    if (starter === undefined || this.locks.size) return;
    const words = h("p", {}, this.say("starter_ask"));
    const sure = await ask(this.element, this.say, this.say("starter_title"), [words], this.say("starter_confirm"));
    if (sure && !this.locks.size) this.editor.replaceAll(starter, "input.starter");
  }

  private full(): void {
    this.tell(this.say("editor_full", { limit: LONGEST.toLocaleString(pageLanguage()) }));
  }

  private sources() {
    return [
      ...[...(this.chat?.replies ?? []), ...(this.chat?.shown ?? [])].map(({ turn_id, text }) => ({ from: "reply" as const, turn_id, text })),
      { from: "brief" as const, text: this.brief.textContent ?? "" },
      { from: "notes" as const, text: this.notes.text },
      { from: "output" as const, text: this.runner.outputText },
    ];
  }

  private allowPaste(text: string, how: "paste" | "drop"): boolean {
    const origin = this.provenance.attempt(text, how, "editor");
    const allowed = origin.from !== "reply" || this.args.data.assistant?.allow_paste !== false;
    if (!allowed) this.tell(this.say("paste_blocked"));
    return allowed;
  }

  private recordScrolling(): () => void {
    let timer = 0;
    const report = () => {
      timer = 0;
      const { scrollTop, scrollHeight, clientHeight } = this.brief;
      this.log.add("brief_scrolled", { top: Math.round(scrollTop), of: scrollHeight - clientHeight });
    };
    this.brief.addEventListener("scroll", () => (timer ||= window.setTimeout(report, SCROLL_LOG_MS)));
    return () => clearTimeout(timer);
  }

  /** The program as it stands, and where in the log: its edits up to there must replay to it. */
  private program() {
    return { code: this.editor.text, page: this.log.page, seq: this.log.last, task: this.args.data.task.id };
  }

  private tooLong(): string {
    const { longest_code: most = Infinity } = this.args.data;
    const long = new TextEncoder().encode(this.editor.text).length > most;
    return long ? this.say("program_too_long", { kb: Math.round(most / 1000) }) : "";
  }

  private async submit(how: { confirm: boolean } | { impossible: string }) {
    this.log.add("submit_pressed", { confirm: "impossible" in how || how.confirm });
    const tooLong = this.tooLong();
    if (tooLong) return { status: 413, body: { error: tooLong } };
    await this.log.settle(SETTLE_MS);
    return this.api.post("/api/submit", { ...this.program(), ...how }, SUBMIT_MS);
  }

  /** A line over the editor that goes by itself. */
  private tell(text: string, card = false): void {
    this.note.textContent = text;
    this.note.classList.toggle("sa-note-card", card);
    clearTimeout(this.noteTimer);
    this.noteTimer = window.setTimeout(() => (this.note.textContent = ""), NOTE_MS);
  }

  /** The time is short: a line under the top bar, the last one until the end. */
  private warn(text: string, urgent: boolean): void {
    this.announcer.say(text);
    this.timeNote.textContent = text;
    this.timeNote.hidden = false;
    this.timeNote.classList.toggle("sa-urgent", urgent);
    if (!urgent) setTimeout(() => (this.timeNote.hidden ||= !this.timeNote.classList.contains("sa-urgent")), TIME_NOTE_MS);
  }

  private leave(): void {
    // The page around the room opens its dialog at once, also without a connection; where there is none, Streamlit does.
    const asked = new CustomEvent("study-leave", { cancelable: true });
    if (window.dispatchEvent(asked)) this.args.setTriggerValue("leave", { n: Date.now() });
  }

  /** Ends this task on the page; the server says what comes next. */
  private over(reason: Advance["reason"]): void {
    if (this.advance.running || this.expiryTimer) return;
    const { stage, step, task } = this.args.data;
    this.ending = reason;
    this.lock(reason);
    const go = () => {
      this.stopExpiry();
      this.advance.start({ reason, stage, step, task: task.id });
    };
    if (reason !== "deadline") return go();
    // The server has the work; nothing runs any more, and what happened is said before the page changes.
    this.expiryTimer = window.setTimeout(go, EXPIRED_MS);
    this.veil.card(this.say("expired_task"), this.say("go_on"), go);
  }

  private stopExpiry(): void {
    clearTimeout(this.expiryTimer);
    this.expiryTimer = 0;
  }

  private heard(state: ServerState): void {
    const late = this.locks.has("deadline") || (this.deadline !== null && (state.now_ms ?? 0) >= this.deadline);
    if (state.deadline_ms !== undefined) this.deadline = state.deadline_ms;
    const { data } = this.args;
    if (this.locks.delete("identity")) this.applyLocks();
    if (differs(state.stage, data.stage)) return this.over(late ? "deadline" : "stage");
    if (differs(state.step, data.step)) return this.over("stage");
    if (state.stage !== undefined) this.release("stage");
    if (this.deadline !== null && (state.now_ms ?? 0) >= this.deadline) this.over("deadline");
    else this.reopenIfTimeRemains();
  }

  /** The server may give time back, for example for an outage of the assistant. */
  private reopenIfTimeRemains(): void {
    if (this.deadline !== null && this.clock.now() >= this.deadline) return;
    if (this.release("deadline")) this.log.reopen();
  }

  /** An ending that proved none, for example read from an answer that came late. */
  private release(reason: "deadline" | "stage"): boolean {
    if (this.ending === reason) {
      this.advance.stop();
      this.stopExpiry();
      this.ending = null;
    }
    if (!this.locks.delete(reason)) return false;
    this.applyLocks();
    return true;
  }

  /** The script ran again and shows this very task: ask the event route once more whether it is over. */
  private probe(): void {
    this.reopenIfTimeRemains();
    if (!this.locks.has("stage")) return;
    this.log.add("heartbeat", { focused: document.hasFocus() });
    this.log.reopen();
  }

  private refused(reason: string): void {
    if (reason === "superseded" || reason === "identity") this.lock(reason);
    else if (reason === "deadline" || reason === "stage") this.over(reason);
  }

  /** The same refusals, met by Run, Submit or Send. */
  private refusedElsewhere(reason: string, body: ServerState): void {
    if (["superseded", "stage", "deadline"].includes(reason)) this.log.refuse(reason, body);
  }

  /** By this page's clock the time is over: stop here, send everything, and let the server confirm. */
  private timeIsUp(): void {
    if (!this.locks.has("deadline")) this.lock("deadline");
    if (this.advance.running || Date.now() - this.lastProbe < 3000) return;
    this.lastProbe = Date.now();
    this.log.add("heartbeat", { focused: document.hasFocus() });
    void this.log.flush();
  }

  private lock(reason: Lock): void {
    this.locks.add(reason);
    this.applyLocks();
  }

  private applyLocks(): void {
    // Whatever ends the task or the page ends the probe.
    if (this.probes.shown && [...this.locks].some((each) => each !== "probe")) return this.probes.close();
    const locked = this.locks.size > 0;
    this.editor.lock(locked);
    this.runner.lock(locked);
    this.chat?.lock(locked);
    this.submission.lock(locked);
    this.exit?.lock(locked);
    this.veil.show(this.locks);
  }

  private shownDeadline(): number | null {
    return this.frozen === null || this.deadline === null ? this.deadline : this.clock.now() + this.frozen;
  }

  /** A probe takes the room and gives it back as it was: nothing moves, the caret stays, and the clock stands. */
  private coverForProbe(on: boolean): void {
    if (on) {
      this.frozen = this.deadline === null ? null : Math.max(this.deadline - this.clock.now(), 1000);
      this.focusedBefore = document.activeElement instanceof HTMLElement ? document.activeElement : null;
      this.locks.add("probe");
    } else {
      this.frozen = null;
      this.locks.delete("probe");
    }
    this.applyLocks();
    this.countdown.tick();
    if (!on && this.locks.size === 0) this.focusedBefore?.focus({ preventScroll: true });
  }

  private showSaving(state: Saving, durable: boolean, status = 0): void {
    const key = state === "offline" && !durable ? "saving_offline_memory" : `saving_${state}`;
    if (this.saving.dataset["state"] === key) return;
    this.saving.dataset["state"] = key;
    this.saving.textContent = this.say(key, { status });
  }

  destroy(): void {
    this.advance.stop();
    this.stopExpiry();
    this.countdown.destroy();
    this.provenance.destroy();
    this.probes.destroy();
    this.chat?.destroy();
    for (const end of this.endings) end();
    if (this.ending !== null) this.log.forgetDrafts((name) => name === this.task || isWords(name));
    this.log.destroy();
    this.editor.destroy();
    this.element.remove();
  }
}

/** A value that the server did not send differs from nothing. */
function differs(said: string | number | null | undefined, known: string | number | null): boolean {
  return said !== undefined && String(said ?? "") !== String(known ?? "");
}

/** Of what is kept: words in a box, and not the text of a task or form. */
function isWords(name: string): boolean {
  return /^(agent|cannot|chat):/.test(name);
}
