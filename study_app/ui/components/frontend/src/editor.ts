// The code editor: CodeMirror 6 with every change handed on as an event.
import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import {
  defaultKeymap,
  history,
  historyKeymap,
  indentWithTab,
  toggleBlockComment,
  toggleComment,
} from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { highlightSelectionMatches, openSearchPanel, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, Prec, type Extension, type StateCommand } from "@codemirror/state";
import {
  drawSelection,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";
import { EditorView } from "codemirror";
import { agentAction, type Edit, editsOf } from "./edits";
import { errorLine, setErrorLine } from "./errorline";

const ESCAPE_MS = 8000;
/** Characters of a text, far beyond what may be run: all of it must fit into one event. */
export const LONGEST = 200_000;

export interface EditorHooks {
  /** `text`: what the editor holds after it. */
  edit: (edit: Edit, text: string) => void;
  focus: (focused: boolean) => void;
  run: () => void;
  /** Says whether text may come in by this way. */
  allow: (text: string, how: "paste" | "drop") => boolean;
  /** A change was not made: the text would be longer than `LONGEST`. */
  full: () => void;
}

export class Editor {
  readonly view: EditorView;
  private readonly locked = new Compartment();
  private isLocked = false;

  constructor(
    parent: HTMLElement,
    private readonly labels: { label: string; help: string; phrases: Record<string, string> },
    private readonly hooks: EditorHooks,
    text: string,
  ) {
    this.view = new EditorView({ state: this.fresh(text), parent });
  }

  get text(): string {
    return this.view.state.doc.toString();
  }

  /** Another task: new text, new undo history, not an edit. */
  load(text: string): void {
    this.view.setState(this.fresh(text));
    this.toTop();
  }

  /** Seen from its first line; once more after the next drawing, which may restore the old place. */
  private toTop(): void {
    const scroll = () => (this.view.scrollDOM.scrollTop = this.view.scrollDOM.scrollLeft = 0);
    scroll();
    requestAnimationFrame(scroll);
  }

  lock(locked: boolean): void {
    if (locked === this.isLocked) return;
    this.isLocked = locked;
    this.view.dispatch({ effects: this.locked.reconfigure(EditorState.readOnly.of(locked)) });
  }

  selection(): string {
    const { state } = this.view;
    const ranges = state.selection.ranges.filter((range) => !range.empty);
    if (ranges.length) return ranges.map((range) => state.sliceDoc(range.from, range.to)).join("\n");
    const line = state.doc.lineAt(state.selection.main.head);
    return `${line.text}\n`;
  }

  showLine(number: number): void {
    const line = this.line(number);
    this.view.dispatch({ selection: { anchor: line.from }, effects: EditorView.scrollIntoView(line.from, { y: "center" }) });
    this.view.focus();
  }

  /** Marks the line in the gutter until the next run, wherever it moves to; null takes the mark away. */
  markLine(number: number | null, why: string): void {
    const place = number === null ? null : { at: this.line(number).from, why };
    this.view.dispatch({ effects: setErrorLine.of(place) });
  }

  find(): void {
    openSearchPanel(this.view);
  }

  /** The whole text anew, as one edit that can be taken back. */
  replaceAll(text: string, userEvent: string): void {
    const changes = { from: 0, to: this.view.state.doc.length, insert: clean(text) };
    this.view.dispatch({ changes, selection: { anchor: 0 }, userEvent, scrollIntoView: true });
    this.view.focus();
  }

  /** A change by an agent, as one edit of its step; the cursor stays where the participant has it. False: too long. */
  applyAction(start: number, end: number, text: string, actionId: string): boolean {
    const before = this.view.state.doc;
    const changes = { from: start, to: end, insert: clean(text) };
    this.view.dispatch({ changes, userEvent: "input.agent", annotations: agentAction.of(actionId) });
    return this.view.state.doc !== before || clean(text) === before.sliceString(start, end);
  }

  /** Puts code on separate lines at the cursor, or in the place of what is selected. */
  insertBlock(text: string, userEvent: string): string {
    const { state } = this.view;
    const { from, to, empty } = state.selection.main;
    const line = state.doc.lineAt(from);
    const blank = !line.text.trim();
    const [start, end] = !empty ? [from, to] : blank ? [line.from, line.to] : [line.to, line.to];
    const insert = clean(empty && !blank ? `\n${text}` : text);
    const selection = { anchor: start + insert.length };
    this.view.dispatch({ changes: { from: start, to: end, insert }, selection, userEvent, scrollIntoView: true });
    this.view.focus();
    return insert;
  }

  private line(number: number) {
    const { doc } = this.view.state;
    return doc.line(Math.min(Math.max(1, number), doc.lines));
  }

  destroy(): void {
    this.view.destroy();
  }

  private fresh(text: string): EditorState {
    return EditorState.create({ doc: clean(text), extensions: [this.behaviour(), this.recording()] });
  }

  private behaviour(): Extension {
    return [
      Prec.highest(keymap.of(this.keys())),
      lineNumbers(),
      highlightActiveLineGutter(),
      highlightSpecialChars(),
      history(),
      drawSelection(),
      EditorState.allowMultipleSelections.of(true),
      EditorState.tabSize.of(4),
      indentUnit.of("    "),
      indentOnInput(),
      bracketMatching(),
      closeBrackets(),
      highlightActiveLine(),
      python(),
      syntaxHighlighting(classHighlighter),
      search({ top: true }),
      highlightSelectionMatches(),
      errorLine(),
      EditorState.phrases.of(this.labels.phrases),
      keymap.of([...closeBracketsKeymap, ...searchKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
      this.locked.of(EditorState.readOnly.of(this.isLocked)),
      EditorView.contentAttributes.of({
        "aria-label": this.labels.label,
        "aria-describedby": this.labels.help,
        // Editable content takes the focus by itself; checkers of accessibility look for the attribute.
        tabindex: "0",
        autocapitalize: "off",
        autocorrect: "off",
        spellcheck: "false",
        translate: "no",
        "data-gramm": "false",
      }),
      EditorView.clipboardInputFilter.of(clean),
    ];
  }

  private keys() {
    const run = () => {
      this.hooks.run();
      return true;
    };
    const leave = (view: EditorView) => {
      view.setTabFocusMode(ESCAPE_MS);
      return false;
    };
    return [
      { key: "Mod-Enter", run },
      { key: "Ctrl-Enter", run },
      { key: "Escape", run: leave },
      { key: "Mod-/", run: byHand(toggleComment) },
      { key: "Alt-A", run: byHand(toggleBlockComment) },
    ];
  }

  private recording(): Extension {
    return [
      EditorView.updateListener.of((update) => {
        for (const transaction of update.transactions) {
          if (transaction.docChanged) for (const { edit, text } of editsOf(transaction)) this.hooks.edit(edit, text);
        }
      }),
      EditorState.changeFilter.of(({ changes: { length, newLength } }) => {
        const fits = newLength <= LONGEST || newLength <= length;
        if (!fits) queueMicrotask(this.hooks.full);
        return fits;
      }),
      EditorView.domEventHandlers({
        focus: () => this.hooks.focus(true),
        blur: () => this.hooks.focus(false),
        paste: (event) => this.incoming(event, event.clipboardData, "paste"),
        drop: (event) => this.incoming(event, event.dataTransfer, "drop"),
      }),
    ];
  }

  private incoming(event: Event, data: DataTransfer | null, how: "paste" | "drop"): boolean {
    const text = data?.getData("text/plain") ?? "";
    if (!text || this.isLocked || this.hooks.allow(text, how)) return false;
    event.preventDefault();
    return true;
  }
}

/** A command of CodeMirror that does not say whose edit it makes: the person's who pressed the keys. */
function byHand(command: StateCommand): (view: EditorView) => boolean {
  return (view) =>
    command({
      state: view.state,
      dispatch: ({ changes, selection, scrollIntoView }) =>
        view.dispatch({ changes, selection, scrollIntoView, userEvent: "input.comment" }),
    });
}

/** One line separator, and nothing that a database refuses. */
function clean(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(/\u0000/g, "")
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd");
}
