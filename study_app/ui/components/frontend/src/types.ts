// The shapes that the server sends; study_app/ui/components/views.py declares the same ones in Python.

export interface Line {
  stream: "stdout" | "stderr";
  text: string;
}

export interface RunEnd {
  run_id?: string;
  ended_by: string;
  message: string;
  error_type?: string | null;
  error_line?: number | null;
  wall_seconds?: number | null;
}

export interface Check {
  name: string;
  passed: boolean;
  message: string;
  /** The call that was made. */
  call?: string;
  /** Lines to lay side by side. */
  expected?: string;
  seen?: string;
  /** What kept the call from its end. */
  cause?: string;
}

export interface LastRun {
  lines: Line[];
  end: RunEnd | null;
  checks?: Check[];
  /** PNG in base64. */
  figures?: string[];
}

export interface Turn {
  turn_id: string;
  message: string;
  reply: string;
  complete: boolean;
  stopped: boolean;
  error: string | null;
  /** Of an assistant that acts, oldest first. */
  actions?: AgentAction[];
}

export interface TaskData {
  id: string;
  title: string;
  /** 1 for the first task. */
  index: number;
  count: number;
  brief_html: string;
}

/** One step of an assistant that acts. */
export interface AgentAction {
  action_id: string;
  turn_id: string;
  step: number;
  tool: "view" | "edit" | "run" | "ask" | "report";
  input: Record<string, string>;
  /** It waits for the participant. */
  waits: boolean;
  start: number | null;
  end: number | null;
  /** Of the program that a change is for. */
  length: number | null;
  /** In which the replaced text begins, from 1. */
  line: number | null;
  decision: string | null;
  result: string | null;
  failed: boolean;
}

export type AgentFrame =
  | ({ type: "action" } & AgentAction)
  | { type: "decided"; action_id: string; decision: string }
  | { type: "result"; action_id: string; result: string; failed: boolean };

export interface AssistantData {
  /** Present where it acts; `offers_mode`: the participant may switch asking off; `without_asking`: they have. */
  agent?: { offers_mode: boolean; without_asking: boolean } | null;
  label: string;
  greeting: string;
  turns: Turn[];
  allow_paste: boolean;
  /** Code of replies has a button that puts it into the editor. */
  allow_insert?: boolean;
  opens_at_ms: number | null;
}

export type Texts = Record<string, string>;

/** Where the stage stands among the parts of the study. */
export interface ProgressData {
  /** With `{minutes}` to be filled in. */
  many: string;
  one: string;
  /** Minutes of the parts after this stage. */
  later_minutes: number;
}

/** Probes of affect that may still come on this page. */
export interface ProbesData {
  /** Left on the clock when one is due. */
  due_ms: number[];
  /** One is on, after a reload. */
  open: boolean;
}

export interface WorkspaceData {
  page_key: string;
  stage: string;
  step: string | number | null;
  stage_title: string;
  task: TaskData;
  doc: string;
  doc_source: "saved" | "starter";
  /** What the task began with. */
  starter?: string;
  /** Bytes of a program beyond which it is not run or submitted. */
  longest_code?: number;
  deadline_ms: number | null;
  now_ms: number;
  assistant: AssistantData | null;
  notes_html: string;
  last_run: LastRun | null;
  can_leave?: boolean;
  /** Shows `This cannot be done as described`. */
  offers_exit?: boolean;
  /** Words behind `Time left`, where the clock is for more than this task. */
  time_scope?: string;
  progress?: ProgressData | null;
  /** What ended just before and what was handed in; empty for nothing. */
  notice?: string;
  probes?: ProbesData | null;
  api: string;
  texts: Texts;
}

export interface CountdownData {
  deadline_ms: number | null;
  now_ms: number;
  texts: Texts;
  /** Stays in the upper corner of the window while the page scrolls. */
  fixed?: boolean;
  /** Present where focus, pastes and the like are to be recorded on a page without workspace. */
  record?: { page_key: string; stage: string; step: string | number | null; api: string } | null;
}

export interface FieldData {
  id: string;
  kind:
    | "choice" | "multiple" | "scale" | "slider" | "number" | "text" | "matrix" | "ranking" | "code" | "heading" | "text_block";
  prompt: string;
  prompt_html: string;
  /** What the server has of the field; null where nothing was entered. */
  value: string | number | (string | number)[] | Record<string, string | number> | null;
  required: boolean;
  /** Says so beside the question. */
  optional: boolean;
  /** A choice can be taken back. */
  clearable: boolean;
  options: { value: string | number; html: string }[];
  /** Rows of a matrix. */
  grid: { id: string; html: string }[];
  low: number | null;
  high: number | null;
  low_label: string;
  high_label: string;
  unit: string;
  rows: number;
  /** Most characters of a text. */
  limit: number;
  /** Of a quiz item: its number in the whole quiz, the program to read, what the code box holds at first. */
  number: number | null;
  code: string;
  starter: string | null;
  /** Of a rating of confidence: the item that it is about. */
  beside: string | null;
  /** The name of the answer's box, where the prompt only describes it. */
  label?: string;
}

export interface FormData {
  page_key: string;
  stage: string;
  step: number;
  kind: "quiz" | "survey" | "interview";
  fields: FieldData[];
  /** Items of the whole quiz. */
  count: number;
  /** The words on the button that goes on. */
  button: string;
  /** Other ways on, of an interview. */
  acts?: { act: string; label: string }[];
  no_way_back: boolean;
  deadline_ms: number | null;
  now_ms: number;
  api: string;
  /** Address of the built `code.js`. */
  code_module: string;
  /** The catalogue's tables `workspace` and `form`. */
  texts: Texts;
}

export interface FormAdvance {
  reason: "submitted" | "deadline" | "stage";
  stage: string;
  step: number;
  n: number;
}

export interface TopData {
  /** Changes with the screen; its title carries it as `data-screen`. */
  screen: string;
  /** Whether this tab has shown another screen since it was loaded. */
  followed: boolean;
  /** The sentence for a page without its own log. */
  connection_lost: string;
  /** What Streamlit's own link past its bar says. */
  skip: string;
}

export interface ButtonData {
  act: "agree" | "disagree" | "begin" | "continue" | "take_back";
  label: string;
  /** The one that most will press. */
  first: boolean;
}

export interface CopyData {
  title: string;
  value: string;
  /** The value is an address below the study's own. */
  address: boolean;
  hint: string;
}

/** `events`: nor what could not be sent. `last`: no page comes after this one that could send it. */
export interface ForgetData {
  page_key: string;
  events: boolean;
  last: boolean;
}

export interface ActionsData {
  /** The participant. */
  page_key: string;
  stage: string;
  /** Changes with the screen, so that a press never meets the next one. */
  screen: string;
  buttons: ButtonData[];
  /** What has to be ticked before a button works. */
  pledge: string | null;
  copies: CopyData[];
  link: { href: string; label: string } | null;
  /** `button`: drawn here; the workspace has its own, which sends the event `study-leave`. */
  leave: { button: boolean; payment: string } | null;
  /** The buttons stay at the window's lower edge. */
  pinned: boolean;
  /** Whose drafts this computer keeps no longer, once what they came from is sent. */
  forget?: ForgetData | null;
  api: string;
  texts: Texts;
}

export interface ComponentArgs<D> {
  data: D;
  key: string;
  name: string;
  parentElement: HTMLElement;
  setTriggerValue: (name: string, value: unknown) => void;
}

export type Source = "editor" | "reply" | "brief" | "notes" | "output" | "message" | "outside";

/** What the server says of itself in every answer of the event route. */
export interface ServerState {
  ack?: number;
  now_ms?: number;
  deadline_ms?: number | null;
  stage?: string;
  step?: string | number | null;
}
