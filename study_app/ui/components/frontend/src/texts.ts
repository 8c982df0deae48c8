// Every word on the page comes from the study's catalogue; a missing one shows its key, so that a test finds it.
import type { Texts } from "./types";

export type Say = (key: string, values?: Record<string, string | number>) => string;

export function sayer(texts: () => Texts): Say {
  return (key, values = {}) =>
    (texts()[key] ?? `[${key}]`).replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** `75` -> `1:15`, `3600` -> `1:00:00`. */
export function clockFace(seconds: number): string {
  const total = Math.max(0, Math.ceil(seconds));
  const [hours, minutes, rest] = [Math.floor(total / 3600), Math.floor((total % 3600) / 60), total % 60];
  const tail = String(rest).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** The language that the page is written in, for figures. */
export function pageLanguage(): string {
  return document.documentElement.lang || "en";
}

/** A number as the page's language writes it and as it may be typed here: without a separator of thousands. */
export function typedNumber(value: number): string {
  return value.toLocaleString(pageLanguage(), { useGrouping: false, maximumFractionDigits: 20 });
}

/** A number with so many digits after the mark, as the page's language writes it. */
export function inPlaces(value: number, digits: number): string {
  return value.toLocaleString(pageLanguage(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
