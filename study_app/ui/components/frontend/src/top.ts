// Entry of the component `top`: each new screen is seen from its top, and read from its title. Streamlit keeps the scroll
// position of the screen before, and a participant who pressed the button at the foot of one page would miss the first
// question of the next. It is on every screen, so it also says when the server cannot be reached.
import { Connection } from "./connection";
import type { ComponentArgs, TopData } from "./types";

/** Streamlit's link past its bar, which it says in English. */
const SKIP = "[data-testid='stSkipToContent']";
const LOOK_MS = 100;
/** How long a screen may take to be drawn. */
const DRAWN_MS = 5000;
let shown: string | undefined;
let connection: Connection | undefined;
let looking: number | undefined;

export default function top({ data, parentElement }: ComponentArgs<TopData>): void {
  connection ??= new Connection();
  connection.text = data.connection_lost;
  const link = document.querySelector<HTMLElement>(SKIP);
  if (link && link.textContent !== data.skip) link.textContent = data.skip;
  if (data.screen === shown) return;
  shown = data.screen;
  for (let box = parentElement.parentElement; box; box = box.parentElement) box.scrollTop = 0;
  clearInterval(looking);
  // What a browser has just loaded it reads by itself.
  if (!data.followed) return;
  const title = `.page-head h1[data-screen="${CSS.escape(data.screen)}"], .sa-room h1`;
  const until = performance.now() + DRAWN_MS;
  looking = window.setInterval(() => (moveFocus(title) || performance.now() > until) && clearInterval(looking), LOOK_MS);
}

/**
 * The button that was pressed goes, and with it the place of the keyboard and of screen readers: once it is gone and the
 * new title is there, that is the place. Not where something on the new screen has the focus already.
 */
function moveFocus(selector: string): boolean {
  const title = document.querySelector<HTMLElement>(selector);
  if (!title || (document.activeElement && document.activeElement !== document.body)) return false;
  title.tabIndex = -1;
  title.focus({ preventScroll: true });
  return true;
}
