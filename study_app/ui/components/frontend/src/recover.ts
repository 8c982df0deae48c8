// Which text the editor starts from: the server's, or a newer draft that this computer could not send.
import { type Draft, fingerprint, type StoredEvent } from "./store";

/**
 * The draft, where it demonstrably descends from what the server holds: its page left unsent edits of this task, and
 * the server's text is one of the states that page went through since its last acknowledged edit. Otherwise the work
 * went on elsewhere in between and the server's text stands.
 */
export function newerDraft(draft: Draft | null, leftovers: Map<string, StoredEvent[]>, text: string): string | null {
  const events = draft && leftovers.get(draft.page);
  if (!draft || !events?.some((stored) => stored.hash !== null)) return null;
  const states = new Set([draft.base, ...events.map((stored) => stored.hash)]);
  return states.has(fingerprint(text)) ? draft.text : null;
}
