// Whether anybody is there: window focus, visibility, size, connection, and a heartbeat while the page shows.
import type { EventLog } from "./log";

const HEARTBEAT_MS = 10_000;
const RESIZE_MS = 500;

/** Starts recording; the returned function ends it. */
export function recordPresence(log: EventLog): () => void {
  const size = () => ({ w: window.innerWidth, h: window.innerHeight });
  let resized = 0;
  const listeners: [EventTarget, string, () => void][] = [
    [window, "focus", () => log.add("focus", {})],
    [window, "blur", () => log.add("blur", {})],
    [window, "online", () => log.add("online", {})],
    [window, "offline", () => log.add("offline", {})],
    [document, "visibilitychange", () => log.add(document.hidden ? "hidden" : "visible", {})],
    [
      window,
      "resize",
      () => {
        clearTimeout(resized);
        resized = window.setTimeout(() => log.add("resize", size()), RESIZE_MS);
      },
    ],
  ];
  for (const [target, name, listener] of listeners) target.addEventListener(name, listener);
  log.add("resize", size());
  log.add(document.hidden ? "hidden" : "visible", {});
  log.add(document.hasFocus() ? "focus" : "blur", {});
  const heartbeat = window.setInterval(() => {
    if (!document.hidden) log.add("heartbeat", { focused: document.hasFocus() });
  }, HEARTBEAT_MS);
  return () => {
    clearInterval(heartbeat);
    clearTimeout(resized);
    for (const [target, name, listener] of listeners) target.removeEventListener(name, listener);
  };
}
