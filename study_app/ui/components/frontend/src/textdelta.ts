// What an input event did to a text box, as the change of an edit: positions in UTF-16 units of the text before.
import type { Change, EditKind } from "./edits";

const KINDS: [RegExp, EditKind][] = [
  [/^insertFromPaste|^insertFromYank/, "paste"],
  [/^insertFromDrop/, "drop"],
  [/^deleteBy(Cut|Drag)/, "cut"],
  [/^historyUndo/, "undo"],
  [/^historyRedo/, "redo"],
];

export function kindOfInput(event: Event): EditKind {
  if (!event.isTrusted) return "programmatic";
  const type = (event as InputEvent).inputType ?? "";
  return KINDS.find(([pattern]) => pattern.test(type))?.[1] ?? "typed";
}

/** The one change that leads from `before` to `after`; it never parts a surrogate pair. */
export function changeBetween(before: string, after: string): Change {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before.charCodeAt(start) === after.charCodeAt(start)) start++;
  if (parts(before, start) || parts(after, start)) start--;
  let end = 0;
  while (end < most - start && before.charCodeAt(before.length - 1 - end) === after.charCodeAt(after.length - 1 - end)) end++;
  while (end > 0 && (parts(before, before.length - end) || parts(after, after.length - end))) end--;
  const change: Change = { from: start, to: before.length - end, insert: after.slice(start, after.length - end) };
  if (change.to > change.from) change.deleted = before.slice(change.from, change.to);
  return change;
}

function parts(text: string, at: number): boolean {
  return at > 0 && at < text.length && /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(at - 1, at + 1));
}

/** Nothing that a database refuses: no NUL, no half of a surrogate pair. */
export function storable(text: string): string {
  return text
    .replace(/\u0000/g, "")
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd");
}
