// Entry of the component `top`: each new screen is seen from its top. Streamlit keeps the scroll position of the screen
// before, and a participant who pressed the button at the foot of one page would miss the first question of the next. It is on
// every screen, so it also says when the server cannot be reached.
import { Connection } from "./connection";
import type { ComponentArgs, TopData } from "./types";

/** Streamlit's link past its bar, which it says in English. */
const SKIP = "[data-testid='stSkipToContent']";
let shown: string | undefined;
let connection: Connection | undefined;

export default function top({ data, parentElement }: ComponentArgs<TopData>): void {
  connection ??= new Connection();
  connection.text = data.connection_lost;
  const link = document.querySelector<HTMLElement>(SKIP);
  if (link && link.textContent !== data.skip) link.textContent = data.skip;
  if (data.screen === shown) return;
  shown = data.screen;
  for (let box = parentElement.parentElement; box; box = box.parentElement) box.scrollTop = 0;
}
