// CodeMirror transactions as events: positions in UTF-16 units of the document before, in ascending order.
import { Annotation, Transaction, type Text } from "@codemirror/state";

export type EditKind = "typed" | "paste" | "drop" | "cut" | "undo" | "redo" | "indent" | "programmatic" | "agent";

export interface Change {
  from: number;
  to: number;
  insert: string;
  deleted?: string;
}

export interface Edit {
  kind: EditKind;
  changes: Change[];
  length: number;
  user_event: string;
  /** Set on the second and later parts of one large insertion. */
  continued?: boolean;
  /** The step of an agent that this edit carries out. */
  action_id?: string;
}

/** On a transaction that carries out a step of an agent. */
export const agentAction = Annotation.define<string>();

const MAX_DELETED = 2000;
/** Larger insertions are sent as several edits, so that no request exceeds what the server takes. */
const MAX_INSERT = 100_000;

const KINDS: [RegExp, EditKind][] = [
  [/^undo/, "undo"],
  [/^redo/, "redo"],
  [/^input\.paste/, "paste"],
  [/^(input|move)\.drop/, "drop"],
  [/^delete\.cut/, "cut"],
  [/indent|dedent/, "indent"],
  // By a button: the text comes from the page, not from a hand.
  [/^input\.starter/, "programmatic"],
  [/^input\.agent/, "agent"],
];

export function kindOf(userEvent: string): EditKind {
  // Whatever a person does in the editor names its event; what does not comes from a script.
  if (!userEvent) return "programmatic";
  return KINDS.find(([pattern]) => pattern.test(userEvent))?.[1] ?? "typed";
}

export function editsOf(transaction: Transaction): Edit[] {
  const userEvent = transaction.annotation(Transaction.userEvent) ?? "";
  const [before, after] = [transaction.startState.doc, transaction.newDoc];
  const ranges: Range[] = [];
  transaction.changes.iterChanges((fromA, toA, fromB, toB) => {
    const range = wholeCharacters(before, after, { fromA, toA, fromB, toB });
    const last = ranges.at(-1);
    if (last && range.fromA < last.toA) Object.assign(last, { toA: range.toA, toB: range.toB });
    else ranges.push(range);
  });
  const changes = ranges.map((range) => changeOf(before, after, range));
  const actionId = transaction.annotation(agentAction);
  const edit: Edit = { kind: kindOf(userEvent), changes, length: after.length, user_event: userEvent };
  return inParts(actionId ? { ...edit, action_id: actionId } : edit, before.length);
}

/** Where a change lies in the document before (A) and after (B). */
interface Range {
  fromA: number;
  toA: number;
  fromB: number;
  toB: number;
}

/** Widened to whole characters: half a surrogate pair is not text that a database would take. */
function wholeCharacters(before: Text, after: Text, { fromA, toA, fromB, toB }: Range): Range {
  const start = splitsPair(before, fromA) || splitsPair(after, fromB) ? 1 : 0;
  const end = splitsPair(before, toA) || splitsPair(after, toB) ? 1 : 0;
  return { fromA: fromA - start, toA: toA + end, fromB: fromB - start, toB: toB + end };
}

function changeOf(before: Text, after: Text, { fromA, toA, fromB, toB }: Range): Change {
  const change: Change = { from: fromA, to: toA, insert: after.sliceString(fromB, toB) };
  if (toA > fromA && toA - fromA <= MAX_DELETED) change.deleted = before.sliceString(fromA, toA);
  return change;
}

function splitsPair(text: Text, at: number): boolean {
  if (at <= 0 || at >= text.length) return false;
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.sliceString(at - 1, at + 1));
}

function inParts(edit: Edit, lengthBefore: number): Edit[] {
  if (edit.changes.every((change) => change.insert.length <= MAX_INSERT)) return [edit];
  const rests: { at: number; text: string }[] = [];
  let shift = 0;
  const first = edit.changes.map((change) => {
    const cut = cutPoint(change.insert, MAX_INSERT);
    shift += cut - (change.to - change.from);
    if (cut < change.insert.length) rests.push({ at: change.to + shift, text: change.insert.slice(cut) });
    return { ...change, insert: change.insert.slice(0, cut) };
  });
  let length = lengthBefore + shift;
  const parts: Edit[] = [{ ...edit, changes: first, length }];
  // From the last to the first, so that the earlier places stay where they are.
  for (let { at, text } of rests.reverse()) {
    while (text) {
      const insert = text.slice(0, cutPoint(text, MAX_INSERT));
      length += insert.length;
      parts.push({ ...edit, changes: [{ from: at, to: at, insert }], length, continued: true });
      at += insert.length;
      text = text.slice(insert.length);
    }
  }
  return parts;
}

function cutPoint(text: string, limit: number): number {
  if (text.length <= limit) return text.length;
  return /[\ud800-\udbff]/.test(text[limit - 1]!) ? limit - 1 : limit;
}
