// Entry of the component `form`. Streamlit calls the default function again for every change of `data` or theme, with
// the same parent element, and may call the cleanup of a superseded call while the element lives on.
import { h } from "./dom";
import formStyles from "./form.css";
import { Sheet } from "./sheet";
import styles from "./style.css";
import type { ComponentArgs, FormData } from "./types";

interface Mounted {
  latest: ComponentArgs<FormData>;
  host: HTMLElement;
  sheet: Sheet | null;
  opening: boolean;
}

const mounted = new WeakMap<HTMLElement, Mounted>();

export default function form(args: ComponentArgs<FormData>): () => void {
  const parent = args.parentElement;
  const entry = mounted.get(parent) ?? mount(args);
  entry.latest = args;
  if (entry.sheet?.shows(args.data)) entry.sheet.attend(args);
  else void open(entry);
  return () => {
    setTimeout(() => {
      if (entry.host.isConnected || mounted.get(parent) !== entry) return;
      mounted.delete(parent);
      entry.sheet?.destroy();
    }, 0);
  };
}

function mount(args: ComponentArgs<FormData>): Mounted {
  const host = h("div", {}, h("style", {}, styles), h("style", {}, formStyles));
  args.parentElement.append(host);
  // Streamlit has one-letter shortcuts on the page; what is typed here is ours.
  for (const name of ["keydown", "keyup", "keypress"]) host.addEventListener(name, (event) => event.stopPropagation());
  const entry: Mounted = { latest: args, host, sheet: null, opening: false };
  mounted.set(args.parentElement, entry);
  return entry;
}

async function open(entry: Mounted): Promise<void> {
  if (entry.opening) return;
  entry.opening = true;
  entry.sheet?.destroy();
  entry.sheet = null;
  const sheet = await Sheet.open(entry.latest);
  entry.opening = false;
  if (!entry.host.isConnected) return sheet.destroy();
  entry.sheet = sheet;
  entry.host.append(sheet.element);
  sheet.focusFirst();
  if (sheet.shows(entry.latest.data)) sheet.attend(entry.latest);
  else void open(entry);
}
