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
  /** Set on the second and later parts of one large edit. */
  continued?: boolean;
  /** The step of an agent that this edit carries out. */
  action_id?: string;
}

/** On a transaction that carries out a step of an agent. */
export const agentAction = Annotation.define<string>();

const MAX_DELETED = 2000;
/** Larger insertions, and more changes at once, are sent as several edits: no request exceeds what the server takes. */
const MAX_INSERT = 100_000;
const MAX_CHANGES = 1000;

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

/** The edits of a transaction, each with the text after it. */
export function editsOf(transaction: Transaction): { edit: Edit; text: string }[] {
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
  const parts = inParts(actionId ? { ...edit, action_id: actionId } : edit, before.length);
  if (parts.length === 1) return [{ edit: parts[0]!, text: after.toString() }];
  let text = before.toString();
  return parts.map((part) => ({ edit: part, text: (text = changed(text, part.changes)) }));
}

function changed(text: string, changes: Change[]): string {
  const pieces: string[] = [];
  let done = 0;
  for (const { from, to, insert } of changes) {
    pieces.push(text.slice(done, from), insert);
    done = to;
  }
  return pieces.join("") + text.slice(done);
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

/** As several edits, one after the other, where one would be more than the server takes. */
function inParts(edit: Edit, lengthBefore: number): Edit[] {
  const parts: Edit[] = [];
  let length = lengthBefore;
  let shift = 0;
  for (const group of groupsOf(edit.changes)) {
    const moved = group.map((change) => ({ ...change, from: change.from + shift, to: change.to + shift }));
    for (const { changes, grown } of portions(moved)) {
      length += grown;
      shift += grown;
      parts.push({ ...edit, changes, length, ...(parts.length ? { continued: true } : {}) });
    }
  }
  return parts;
}

/** Neighbouring changes that go together: neither too many, nor with too much text. A long insertion is alone. */
function groupsOf(changes: Change[]): Change[][] {
  const groups: Change[][] = [[]];
  let size = 0;
  for (const change of changes) {
    const own = change.insert.length + (change.deleted?.length ?? 0);
    const last = groups.at(-1)!;
    if (last.length && (last.length >= MAX_CHANGES || size + own > MAX_INSERT)) {
      groups.push([change]);
      size = own;
    } else {
      last.push(change);
      size += own;
    }
  }
  return groups;
}

/** The changes of one edit, and what is left of a long insertion as edits behind it. */
function portions(changes: Change[]): { changes: Change[]; grown: number }[] {
  const [first] = changes;
  const cut = first && changes.length === 1 ? cutPoint(first.insert, MAX_INSERT) : Infinity;
  if (!first || cut >= first.insert.length) return [{ changes, grown: growth(changes) }];
  const found = [{ ...first, insert: first.insert.slice(0, cut) }];
  for (let rest = first.insert.slice(cut), at = first.from + cut; rest; ) {
    const insert = rest.slice(0, cutPoint(rest, MAX_INSERT));
    found.push({ from: at, to: at, insert });
    at += insert.length;
    rest = rest.slice(insert.length);
  }
  return found.map((change) => ({ changes: [change], grown: growth([change]) }));
}

function growth(changes: Change[]): number {
  return changes.reduce((sum, { from, to, insert }) => sum + insert.length - (to - from), 0);
}

function cutPoint(text: string, limit: number): number {
  if (text.length <= limit) return text.length;
  return /[\ud800-\udbff]/.test(text[limit - 1]!) ? limit - 1 : limit;
}
