// Unacknowledged events on this computer's disk, so that a reload, a crash or a closed lid loses nothing.
// Everything works without it too (private windows, full disk): then events live in memory only.

export interface LoggedEvent {
  seq: number;
  kind: string;
  client_time_ms: number;
  mono_ms: number;
  payload: Record<string, unknown>;
}

export interface StoredEvent {
  owner: string;
  page: string;
  seq: number;
  event: LoggedEvent;
  /** Hash of the document after this event; null for events that leave it alone. */
  hash: string | null;
}

export interface Draft {
  owner: string;
  task: string;
  page: string;
  text: string;
  /** Hash of the document at the last acknowledged edit. */
  base: string | null;
  /** When it was kept. */
  at?: number;
}

const NAME = "study-app";
const OPEN_MS = 3000;
const DAY_MS = 24 * 3600 * 1000;
/** How long what could not be sent waits for its participant. */
const KEEP_MS = 14 * DAY_MS;
/** Likewise drafts of one after whom another sits at this computer; their events are data, and wait the whole time. */
const KEEP_OTHERS_DRAFTS_MS = DAY_MS;

export class Store {
  private puts: StoredEvent[] = [];
  private draft: (() => Draft) | null = null;
  private scheduled = false;
  /** False once the disk has refused: what is not yet sent would not survive the tab. */
  durable = true;

  private constructor(
    private readonly database: IDBDatabase | null,
    private readonly owner: string,
  ) {
    this.durable = database !== null;
  }

  static async open(owner: string): Promise<Store> {
    const database = await Promise.race([openDatabase(), new Promise<null>((give) => setTimeout(give, OPEN_MS, null))]);
    return new Store(database, owner);
  }

  /** Keep an event and, with an edit, the document it led to (read as late as possible). */
  put(event: StoredEvent, draft: (() => Draft) | null): void {
    if (!this.durable) return;
    this.puts.push(event);
    if (draft) this.draft = draft;
    if (this.scheduled) return;
    this.scheduled = true;
    setTimeout(() => this.write(), 0);
  }

  write(): void {
    this.scheduled = false;
    const [puts, draft] = [this.puts, this.draft];
    if (!puts.length || !this.durable) return;
    this.puts = [];
    this.draft = null;
    this.change((events, drafts) => {
      for (const event of puts) events.put(event);
      if (draft) drafts.put({ ...draft(), at: Date.now() });
    });
  }

  /** Words before they are sent, which no event holds; empty ones are forgotten. */
  keep(name: string, text: string): void {
    this.change((_, drafts) => {
      if (text) drafts.put({ owner: this.owner, task: name, page: "", text, base: null, at: Date.now() });
      else drafts.delete([this.owner, name]);
    });
  }

  /** Deletes drafts of this participant: of these names, or of what a page left. */
  forgetDrafts(over: (draft: Draft) => boolean): void {
    if (this.draft && over(this.draft())) this.draft = null;
    this.change((_, drafts) => {
      drafts.openCursor().onsuccess = ({ target }) => {
        const cursor = (target as IDBRequest<IDBCursorWithValue | null>).result;
        if (!cursor) return;
        const draft = cursor.value as Draft;
        if (draft.owner === this.owner && over(draft)) cursor.delete();
        cursor.continue();
      };
    });
  }

  /** Deletes everything that is kept of this participant, also what was never sent. */
  forgetOwner(): void {
    this.forgetDrafts(() => true);
    this.change((kept) => {
      kept.openCursor().onsuccess = ({ target }) => {
        const cursor = (target as IDBRequest<IDBCursorWithValue | null>).result;
        if (!cursor) return;
        if ((cursor.value as StoredEvent).owner === this.owner) cursor.delete();
        cursor.continue();
      };
    });
  }

  acknowledged(page: string, ack: number, draft: (() => Draft) | null): void {
    this.write();
    this.change((events, drafts) => {
      // After `write`: an event that is put after its deletion would be sent again by the next page.
      events.delete(IDBKeyRange.bound([page, 0], [page, ack]));
      if (draft) drafts.put({ ...draft(), at: Date.now() });
    });
  }

  /** Events of earlier pages of this participant, oldest page first. */
  async leftovers(): Promise<Map<string, StoredEvent[]>> {
    const rows = await this.all<StoredEvent>("events");
    const pages = new Map<string, StoredEvent[]>();
    rows.sort((a, b) => a.event.client_time_ms - b.event.client_time_ms || a.seq - b.seq);
    for (const row of rows) {
      if (isOld(row.event.client_time_ms, KEEP_MS)) this.forget(row);
      else if (row.owner === this.owner) pages.set(row.page, [...(pages.get(row.page) ?? []), row]);
    }
    for (const events of pages.values()) events.sort((a, b) => a.seq - b.seq);
    return pages;
  }

  /** What is kept of this participant, by name; what is too old is deleted, of whomever it is. */
  async drafts(): Promise<Map<string, Draft>> {
    const found = new Map<string, Draft>();
    for (const draft of await this.all<Draft>("drafts")) {
      if (draft.at === undefined) this.change((_, drafts) => drafts.put({ ...draft, at: Date.now() }));
      const keep = draft.owner === this.owner ? KEEP_MS : KEEP_OTHERS_DRAFTS_MS;
      if (isOld(draft.at ?? Date.now(), keep)) this.change((_, drafts) => drafts.delete([draft.owner, draft.task]));
      else if (draft.owner === this.owner) found.set(draft.task, draft);
    }
    return found;
  }

  private forget(row: StoredEvent): void {
    this.change((events) => events.delete([row.page, row.seq]));
  }

  private change(work: (events: IDBObjectStore, drafts: IDBObjectStore) => void): void {
    if (!this.database) return;
    try {
      // Relaxed: a crash of the tab loses nothing, and a power cut the last moment; strict would wait for the disk at
      // each key.
      const transaction = this.database.transaction(["events", "drafts"], "readwrite", { durability: "relaxed" });
      transaction.onabort = transaction.onerror = () => (this.durable = false);
      work(transaction.objectStore("events"), transaction.objectStore("drafts"));
    } catch {
      this.durable = false;
    }
  }

  private all<T>(table: string): Promise<T[]> {
    const database = this.database;
    if (!database) return Promise.resolve([]);
    return new Promise((give) => {
      const request = database.transaction(table).objectStore(table).getAll();
      request.onsuccess = () => give(request.result as T[]);
      request.onerror = () => give([]);
    });
  }

  close(): void {
    this.write();
    this.database?.close();
  }
}

function openDatabase(): Promise<IDBDatabase | null> {
  return new Promise((give) => {
    try {
      const request = indexedDB.open(NAME, 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore("events", { keyPath: ["page", "seq"] });
        request.result.createObjectStore("drafts", { keyPath: ["owner", "task"] });
      };
      request.onsuccess = () => give(request.result);
      request.onerror = request.onblocked = () => give(null);
    } catch {
      give(null);
    }
  });
}

/**
 * A fast fingerprint of a text (FNV-1a over UTF-16 units, with its length). It only tells whether two texts of one page
 * differ; the hashes of `crypto.subtle` are asynchronous and exist on secure origins only.
 */
export function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return `${text.length}:${(hash >>> 0).toString(16)}`;
}

function isOld(at: number, keep: number): boolean {
  return Date.now() - at > keep;
}
