// Entry of the component `workspace`. Streamlit calls the default function again for every change of `data` or theme,
// with the same parent element, and may call the cleanup of a superseded call while the element lives on.
import { Room } from "./room";
import styles from "./style.css";
import type { ComponentArgs, WorkspaceData } from "./types";

interface Mounted {
  latest: ComponentArgs<WorkspaceData>;
  host: HTMLElement;
  room: Room | null;
}

const mounted = new WeakMap<HTMLElement, Mounted>();

export default function workspace(args: ComponentArgs<WorkspaceData>): () => void {
  const parent = args.parentElement;
  const entry = mounted.get(parent) ?? mount(args);
  entry.latest = args;
  entry.room?.attend(args);
  return () => {
    setTimeout(() => {
      if (entry.host.isConnected || mounted.get(parent) !== entry) return;
      mounted.delete(parent);
      entry.room?.destroy();
    }, 0);
  };
}

function mount(args: ComponentArgs<WorkspaceData>): Mounted {
  const host = document.createElement("div");
  const style = document.createElement("style");
  style.textContent = styles;
  host.append(style);
  args.parentElement.append(host);
  // Streamlit has one-letter shortcuts on the page; what is typed here is ours.
  for (const name of ["keydown", "keyup", "keypress"]) host.addEventListener(name, (event) => event.stopPropagation());
  const entry: Mounted = { latest: args, host, room: null };
  mounted.set(args.parentElement, entry);
  void Room.open(args).then((room) => {
    if (!host.isConnected) return room.destroy();
    entry.room = room;
    host.append(room.element);
    room.placed();
    room.attend(entry.latest);
  });
  return entry;
}
