// Plays a participant's timeline (study_app/services/researcher/replay/timeline.py) again. Frames hold what changed; the player keeps state.

const SPEEDS = [1, 2, 5, 10, 30, 60];
const CHECKPOINT = 64;
const LARGE = 40_000;
const AROUND = 200;
const QUIET = 5;
const LANES = { typing: "Typing", running: "Running", asking: "Asking", waiting: "Waiting", agent: "Acting", probe: "Asked how they feel", away: "Away" };
const SOURCES = {
  typed: "Typed", assistant: "Pasted from a reply", agent: "By an assistant that acts", retyped: "Retyped from a reply", brief: "From the brief",
  notes: "From the notes", outside: "Pasted from outside", starter: "Starter", unknown: "Unknown",
};

const EVIDENCE = {
  other_ai_reported: "Other AI reported", outside_paste: "Text from outside", typing_burst: "Typing faster than a hand",
  away: "Away", attention_failed: "Attention check failed",
};

function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** Index of the last frame at or before t, or -1. */
export function lastAt(frames, t) {
  let [low, high] = [0, frames.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (frames[middle].t <= t) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function splice(pieces, from, to, inserted) {
  const found = [];
  let at = 0;
  let placed = false;
  const put = () => {
    if (!placed && inserted) found.push([inserted, "typed"]);
    placed = true;
  };
  for (const [length, source] of pieces) {
    const before = Math.max(0, Math.min(length, from - at));
    const after = Math.max(0, Math.min(length, at + length - to));
    if (before) found.push([before, source]);
    if (at + length >= from) put();
    if (after && at + length > to) found.push([after, source]);
    at += length;
  }
  put();
  return found.reduce((merged, [length, source]) => {
    const last = merged.at(-1);
    if (last && last[1] === source) last[0] += length;
    else merged.push([length, source]);
    return merged;
  }, []);
}

/** The state of a text after one frame. */
export function step(state, frame) {
  if (frame.kind === "gap") return { ...state, gap: true };
  if (frame.kind === "text") {
    return { text: frame.text, pieces: frame.spans ?? [[frame.text.length, "unknown"]], mark: [0, 0], gap: false };
  }
  if (frame.kind === "spans") return { ...state, pieces: frame.spans };
  let { text, pieces } = state;
  let shift = 0;
  let mark = state.mark;
  for (const [from, to, insert] of frame.changes) {
    text = text.slice(0, from + shift) + insert + text.slice(to + shift);
    if (!frame.spans) pieces = splice(pieces, from + shift, to + shift, insert.length);
    mark = [from + shift, from + shift + insert.length];
    shift += insert.length - (to - from);
  }
  return { text, pieces: frame.spans ?? pieces, mark, gap: false };
}

/** One task's text at any frame: forwards by deltas, backwards from the nearest checkpoint. */
export class Texts {
  constructor(frames, task) {
    this.frames = frames.map((frame, index) => ({ frame, index }))
      .filter(({ frame }) => frame.task === task && ["text", "edit", "spans", "gap"].includes(frame.kind));
    this.empty = { text: "", pieces: [], mark: [0, 0], gap: false };
    this.checkpoints = [this.empty];
    this.state = this.empty;
    this.done = 0;
  }

  /** After all frames up to this index of the whole timeline. */
  at(index) {
    let [low, high] = [0, this.frames.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.frames[middle].index <= index) low = middle + 1;
      else high = middle;
    }
    if (low < this.done || low > this.done + CHECKPOINT) this.jump(low);
    while (this.done < low) {
      this.state = step(this.state, this.frames[this.done].frame);
      this.done += 1;
      if (this.done % CHECKPOINT === 0) this.checkpoints[this.done / CHECKPOINT] = this.state;
    }
    return this.state;
  }

  jump(count) {
    const known = Math.min(Math.floor(count / CHECKPOINT), this.checkpoints.length - 1);
    if (count < this.done || known * CHECKPOINT > this.done) {
      this.done = known * CHECKPOINT;
      this.state = this.checkpoints[known];
    }
  }
}

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const pad = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${pad(minutes)}:${pad(rest)}`;
}

class Player {
  constructor(host, data) {
    this.host = host;
    this.data = data;
    this.texts = new Map();
    this.speed = 10;
    this.playing = false;
    this.skipping = true;
    this.overlay = true;
    this.shown = {};
    this.remember();
    this.build();
    const main = data.stages.find((stage) => stage.main) ?? data.stages.find((stage) => stage.kind === "tasks");
    this.window = main ? [main.start, main.end] : [0, Math.max(1, data.seconds)];
    this.now = this.window[0];
    this.resized = new ResizeObserver(() => this.lanes());
    this.resized.observe(this.canvas);
    this.zoom(main ?? null);
  }

  /** What was current at each frame, so that any moment is found by one search. */
  remember() {
    let [task, run] = ["", null];
    const latest = new Map();
    this.current = this.data.frames.map((frame) => {
      if (frame.task) task = frame.task;
      if (frame.kind === "run" || frame.kind === "submission") latest.set(frame.task, frame.id);
      run = latest.get(task) ?? null;
      return { task, run };
    });
    this.turns = Object.values(this.data.turns).sort((a, b) => a.asked - b.asked);
  }

  build() {
    const button = (label, text, act) => h("button", { type: "button", "aria-label": label, title: label, onclick: act }, text);
    this.play = button("Play", "Play", () => this.toggle());
    this.play.classList.add("sr-play");
    this.slider = h("input", {
      type: "range", step: "0.01", "aria-label": "Time",
      oninput: () => this.seek(Number(this.slider.value)),
    });
    this.time = h("span", { class: "sr-time" });
    const speeds = h("select", { "aria-label": "Speed", onchange: () => (this.speed = Number(speeds.value)) });
    speeds.append(...SPEEDS.map((speed) => h("option", { value: speed, selected: speed === this.speed }, `${speed}×`)));
    const check = (text, on, act) => {
      const box = h("input", { type: "checkbox", checked: on, onchange: () => act(box.checked) });
      return h("label", { class: "sr-check" }, box, text);
    };
    this.stages = h("div", { class: "sr-stages", role: "group", "aria-label": "Stages" });
    this.where = h("p", { class: "sr-where" });
    this.gutter = h("pre", { class: "sr-gutter", "aria-hidden": "true" });
    this.code = h("pre", { class: "sr-code", "aria-label": "Program", tabindex: "0" });
    this.editor = h("div", { class: "sr-editor" }, this.gutter, this.code);
    this.legend = h("ul", { class: "sr-legend", "aria-label": "Where the text came from" });
    this.output = h("div", { class: "sr-output", "aria-label": "Output" });
    this.chat = h("ol", { class: "sr-chat", "aria-label": "Chat" });
    this.canvas = h("canvas", { class: "sr-canvas", "aria-hidden": "true" });
    this.head = h("div", { class: "sr-head" });
    this.band = h("div", { class: "sr-band", onpointerdown: (event) => this.drag(event) }, this.canvas, this.head);
    const names = h("ul", { class: "sr-names", "aria-label": "Lanes" }, ...this.laneIds().map((id) => h("li", { class: `sr-lane-${id}` }, LANES[id])));
    this.root = h("div", { class: "sr-root", tabindex: "-1", onkeydown: (event) => this.key(event) },
      h("div", { class: "sr-top" }, this.where, this.stages),
      h("div", { class: "sr-panes" },
        h("section", { class: "sr-left" }, this.editor, this.legend),
        h("section", { class: "sr-right" }, h("h3", {}, "Assistant"), this.chat, h("h3", {}, "Output"), this.output)),
      h("div", { class: "sr-timeline" }, names, this.band, h("span"), this.slider),
      h("div", { class: "sr-bar" },
        button("Event before", "‹", () => this.stepBy(-1)), this.play, button("Next event", "›", () => this.stepBy(1)),
        speeds, this.time,
        check("Skip quiet stretches", this.skipping, (on) => (this.skipping = on)),
        check("Where text came from", this.overlay, (on) => { this.overlay = on; this.root.classList.toggle("sr-plain", !on); })),
      this.evidence());
    this.host.replaceChildren(this.root);
  }

  /** What speaks against compliance, each piece with the way to its moment. */
  evidence() {
    const rows = this.data.evidence;
    const limit = ({ threshold, unit }) => (threshold === null ? "listed only" : `at most ${threshold} ${unit} in all`);
    const line = (row) => h("tr", {},
      h("td", {}, row.t === null ? "" : h("button", { type: "button", onclick: () => this.goTo(row.t) }, clock(row.t))),
      h("td", {}, [EVIDENCE[row.kind], row.detail].filter(Boolean).join(": ")), h("td", {}, row.stage),
      h("td", {}, `${Math.round(row.amount * 10) / 10} ${row.unit}`), h("td", {}, limit(row)),
      h("td", { class: row.breaks ? "sr-fail" : "" }, row.breaks ? "breaks the rule" : ""));
    const table = h("table", { "aria-label": "Evidence on compliance" }, h("tbody", {}, ...rows.map(line)));
    const told = rows.length ? `Evidence on compliance (${rows.length})` : "No evidence against compliance";
    return h("details", { class: "sr-evidence" }, h("summary", {}, told), rows.length ? table : null);
  }

  /** A moment of the whole way, also from within a stage that does not hold it. */
  goTo(t) {
    if (t < this.window[0] || t > this.window[1]) this.zoom(null);
    this.seek(Math.min(t, this.window[1]));
  }

  zoom(stage) {
    this.window = stage ? [stage.start, Math.max(stage.end, stage.start + 1)] : [0, Math.max(1, this.data.seconds)];
    const all = h("button", { type: "button", "aria-pressed": String(!stage), onclick: () => this.zoom(null) }, "Whole way");
    this.stages.replaceChildren(all, ...this.data.stages.filter((each) => each.end - each.start > 0).map((each) =>
      h("button", { type: "button", "aria-pressed": String(each === stage), onclick: () => this.zoom(each) }, each.title)));
    [this.slider.min, this.slider.max] = this.window;
    this.lanes();
    this.seek(Math.min(Math.max(this.now, this.window[0]), this.window[1]));
  }

  /** The lanes that this way has: the assistant's own only where one acts. */
  laneIds() {
    return Object.keys(LANES).filter((id) => this.data.lanes[id]);
  }

  lanes() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width) return;
    const ratio = window.devicePixelRatio || 1;
    [this.canvas.width, this.canvas.height] = [width * ratio, height * ratio];
    const brush = this.canvas.getContext("2d");
    brush.scale(ratio, ratio);
    const [start, end] = this.window;
    const x = (t) => ((t - start) / (end - start)) * width;
    const row = height / this.laneIds().length;
    const colours = getComputedStyle(this.root);
    this.laneIds().forEach((id, index) => {
      brush.fillStyle = colours.getPropertyValue("--line");
      brush.fillRect(0, Math.round(row * (index + 0.5)), width, 1);
      brush.fillStyle = colours.getPropertyValue(`--lane-${id}`);
      for (const [from, to] of this.data.lanes[id]) {
        if (to < start || from > end) continue;
        brush.fillRect(x(from), row * index + 3, Math.max(1.5, x(to) - x(from)), row - 6);
      }
    });
  }

  drag(event) {
    const move = ({ clientX }) => {
      const { left, width } = this.band.getBoundingClientRect();
      const part = Math.min(1, Math.max(0, (clientX - left) / width));
      this.seek(this.window[0] + part * (this.window[1] - this.window[0]));
    };
    move(event);
    this.band.setPointerCapture(event.pointerId);
    this.band.onpointermove = move;
    this.band.onpointerup = () => (this.band.onpointermove = null);
  }

  key(event) {
    if (event.target.closest("input, select, button") && event.key === " ") return;
    if (event.target.type === "range" || event.target.tagName === "SELECT") return;
    const act = { " ": () => this.toggle(), ArrowLeft: () => this.stepBy(-1), ArrowRight: () => this.stepBy(1) }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  toggle() {
    this.playing = !this.playing;
    this.play.textContent = this.playing ? "Pause" : "Play";
    this.play.setAttribute("aria-label", this.play.textContent);
    if (!this.playing) return;
    if (this.now >= this.window[1]) this.now = this.window[0];
    let before = performance.now();
    const tick = (moment) => {
      if (!this.playing || !this.root.isConnected) return;
      this.seek(this.advance(((moment - before) / 1000) * this.speed));
      before = moment;
      if (this.now >= this.window[1]) this.toggle();
      else requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  /** On by so many seconds; over a stretch in which nothing happens, to shortly before what comes next. */
  advance(seconds) {
    const next = this.data.frames[lastAt(this.data.frames, this.now) + 1];
    const waits = this.skipping && next && next.t - this.now > QUIET + seconds;
    const replying = this.turns.some((turn) => turn.asked <= this.now && this.now < turn.ended);
    return Math.min(this.window[1], waits && !replying ? next.t - 1 : this.now + seconds);
  }

  stepBy(direction) {
    if (this.playing) this.toggle();
    const { frames } = this.data;
    const index = lastAt(frames, this.now);
    let wanted = index + direction;
    while (direction < 0 && wanted > 0 && frames[wanted].t >= frames[index].t) wanted -= 1;
    if (frames[wanted]) this.seek(Math.min(this.window[1], Math.max(this.window[0], frames[wanted].t)));
  }

  seek(t) {
    this.now = t;
    this.slider.value = String(t);
    const part = (t - this.window[0]) / (this.window[1] - this.window[0]);
    this.head.style.transform = `translateX(${part * this.band.clientWidth}px)`;
    const told = `${clock(t - this.window[0])} of ${clock(this.window[1] - this.window[0])}`;
    if (told !== this.shown.time) {
      this.time.textContent = told;
      this.slider.setAttribute("aria-valuetext", told);
      this.shown.time = told;
    }
    const index = lastAt(this.data.frames, t);
    const { task, run } = this.current[index] ?? { task: "", run: null };
    this.showWhere(task);
    this.showText(task, index);
    this.showRun(run);
    this.showChat();
  }

  showWhere(task) {
    const stage = this.data.stages.findLast((each) => each.start <= this.now);
    const away = this.data.lanes.away.some(([from, to]) => from <= this.now && this.now < to);
    const told = [stage?.title ?? "", stage?.kind === "tasks" ? this.data.tasks[task] ?? task : "", away ? "away" : ""];
    const text = told.filter(Boolean).join(" · ");
    if (text !== this.where.textContent) this.where.textContent = text;
    this.root.classList.toggle("sr-away", away);
  }

  showText(task, index) {
    if (!this.texts.has(task)) this.texts.set(task, new Texts(this.data.frames, task));
    const state = this.texts.get(task).at(index);
    if (state === this.shown.state) return;
    const changed = state.text !== this.shown.state?.text;
    this.shown.state = state;
    this.root.classList.toggle("sr-gap", state.gap);
    const [from, to] = part(state);
    this.code.replaceChildren(...fragments(state, from, to));
    if (changed) {
      const first = lines(state.text, 0, from);
      const count = lines(state.text, from, to) + 1;
      this.gutter.textContent = Array.from({ length: count }, (_, line) => first + line + 1).join("\n");
      this.follow(lines(state.text, from, state.mark[0]));
    }
    this.showLegend(state);
  }

  follow(line) {
    const height = parseFloat(getComputedStyle(this.code).lineHeight);
    const top = line * height;
    const { scrollTop, clientHeight } = this.editor;
    if (top < scrollTop || top > scrollTop + clientHeight - 3 * height) {
      this.editor.scrollTop = Math.max(0, top - clientHeight / 2);
    }
  }

  showLegend(state) {
    const counts = {};
    for (const [length, source] of state.pieces) counts[source] = (counts[source] ?? 0) + length;
    const key = JSON.stringify(counts);
    if (key === this.shown.legend) return;
    this.shown.legend = key;
    this.legend.replaceChildren(...Object.keys(SOURCES).filter((source) => counts[source]).map((source) =>
      h("li", { class: `sr-${source}` }, SOURCES[source], h("span", {}, ` ${counts[source]}`))));
  }

  showRun(id) {
    const run = id ? this.data.runs[id] : null;
    const going = run && this.now < run.ended;
    const key = run ? `${id} ${going}` : "";
    if (key === this.shown.run) return;
    this.shown.run = key;
    if (!run) return this.output.replaceChildren(h("p", { class: "sr-none" }, "Nothing run yet"));
    const how = run.kind === "submission" ? "Submitted" : going ? "Running" : run.error_type ? run.error_type : "Ran";
    const line = run.error_line && !going ? `, line ${run.error_line}` : "";
    const figures = going ? [] : run.figures.map((png, place) =>
      h("img", { src: `data:image/png;base64,${png}`, alt: `Figure ${place + 1}`, class: "sr-figure" }));
    const checks = going ? [] : run.checks.map((check) => h("li", { class: check.passed ? "sr-pass" : "sr-fail" }, check.name));
    this.output.replaceChildren(
      h("p", { class: "sr-how" }, `${how}${line} at ${clock(run.started - this.window[0])}`),
      h("pre", {}, going ? "" : run.stdout, h("span", { class: "sr-error" }, going ? "" : run.stderr)),
      ...figures,
      h("ul", { class: "sr-checks" }, ...checks));
  }

  showChat() {
    const asked = this.turns.filter((turn) => turn.asked <= this.now);
    const last = asked.at(-1);
    const told = last ? revealed(last, this.now) : "";
    const steps = last ? last.steps.map((step) => [step.t <= this.now, step.decided !== null && step.decided <= this.now]) : "";
    const key = `${asked.length} ${told.length} ${last ? this.now >= last.ended : ""} ${steps}`;
    if (key === this.shown.chat) return;
    const grew = this.shown.turns === asked.length && asked.length > 0;
    this.shown.chat = key;
    this.shown.turns = asked.length;
    if (!asked.length) return this.chat.replaceChildren(h("li", { class: "sr-none" }, "No message yet"));
    if (grew) this.chat.lastElementChild.replaceWith(turnOf(last, told, this.now));
    else this.chat.replaceChildren(...asked.map((turn) => turnOf(turn, revealed(turn, this.now), this.now)));
    this.chat.scrollTop = this.chat.scrollHeight;
  }
}

/** What of a reply had been streamed by then. */
export function revealed(turn, now) {
  if (now >= turn.ended) return turn.reply;
  if (now < turn.first) return "";
  return turn.reply.slice(0, Math.floor((turn.reply.length * (now - turn.first)) / Math.max(0.01, turn.ended - turn.first)));
}

function turnOf(turn, reply, now) {
  const state = now < turn.ended ? "waiting" : turn.error ? `failed: ${turn.error}` : turn.stopped ? "stopped by the participant" : "";
  return h("li", {}, h("p", { class: "sr-asked" }, turn.message), h("div", { class: "sr-reply" }, reply), stepsOf(turn, now),
    state ? h("p", { class: "sr-none" }, state) : null);
}

const TOOLS = { view: "reads the program", edit: "changes the program", run: "runs the program", ask: "asks", report: "reports" };
const DECISIONS = {
  approve: "approved", reject: "rejected", edited: "edited, then applied", auto: "without asking", stale: "program changed meanwhile",
  interrupted: "interrupted", expired: "time was up", answered: "answered",
};

/** The steps of an assistant that acts, as far as they had come by then. */
function stepsOf(turn, now) {
  const shown = turn.steps.filter((step) => step.t <= now);
  if (!shown.length) return null;
  const line = (step) => {
    const decided = step.decided !== null && step.decided <= now ? (DECISIONS[step.decision] ?? step.decision) : "waits";
    const said = step.input.question ?? step.input.summary ?? "";
    return h("li", {}, [`${TOOLS[step.tool] ?? step.tool}: ${decided}`, said].filter(Boolean).join(" \u2013 "));
  };
  return h("ol", { class: "sr-steps" }, ...shown.map(line));
}

function lines(text, from, to) {
  let count = 0;
  for (let at = text.indexOf("\n", from); at >= 0 && at < to; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}

/** All of a text, or of a very long one the lines around the last change. */
function part({ text, mark }) {
  if (text.length <= LARGE) return [0, text.length];
  let [from, to] = [mark[0], mark[0]];
  for (let count = 0; count < AROUND; count += 1) {
    from = Math.max(0, text.lastIndexOf("\n", from - 2) + 1);
    const end = text.indexOf("\n", to + 1);
    to = end < 0 ? text.length : end;
  }
  return [from, Math.min(to, from + LARGE)];
}

function fragments({ text, pieces, mark }, from, to) {
  const found = [];
  let at = 0;
  const put = (start, end, source, marked) => {
    const [low, high] = [Math.max(start, from), Math.min(end, to)];
    if (low < high) found.push(h("span", { class: `sr-${source}${marked ? " sr-mark" : ""}` }, text.slice(low, high)));
  };
  for (const [length, source] of pieces) {
    const [low, high] = [Math.max(at, mark[0]), Math.min(at + length, mark[1])];
    if (low < high) {
      put(at, low, source, false);
      put(low, high, source, true);
      put(high, at + length, source, false);
    } else put(at, at + length, source, false);
    at += length;
  }
  return found;
}

const mounted = new WeakMap();

async function open(parent, address) {
  const host = h("div", { class: "sr-host" }, h("p", { class: "sr-none" }, "Fetching the session…"));
  parent.querySelector(".sr-host")?.remove();
  parent.append(host);
  try {
    const answer = await fetch(address, { headers: { accept: "application/json" } });
    const data = await answer.json();
    if (!answer.ok) throw new Error(data.error);
    if (mounted.get(parent) !== address) return;
    if (data.frames.length) new Player(host, data);
    else host.replaceChildren(h("p", { class: "sr-none" }, "There is nothing to play: no event was logged."));
  } catch (problem) {
    host.replaceChildren(h("p", { class: "sr-none", role: "alert" }, `The session cannot be shown: ${problem.message}`));
  }
}

export default function replay({ data, parentElement }) {
  if (mounted.get(parentElement) === data.address && parentElement.querySelector(".sr-host")) return;
  mounted.set(parentElement, data.address);
  open(parentElement, data.address);
}
