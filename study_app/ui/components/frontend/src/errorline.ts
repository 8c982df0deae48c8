// The mark of the line that the last run's error came from: in the gutter and on the line, moving with the text.
import { type Extension, RangeSet, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, GutterMarker, gutterLineClass } from "@codemirror/view";

export interface ErrorPlace {
  /** Position of the line's beginning. */
  at: number;
  why: string;
}

export const setErrorLine = StateEffect.define<ErrorPlace | null>();

class Mark extends GutterMarker {
  override elementClass = "sa-error-gutter";
}

const MARK = new Mark();

const field = StateField.define<ErrorPlace | null>({
  create: () => null,
  update(place, transaction) {
    const moved = place && transaction.docChanged ? { ...place, at: transaction.changes.mapPos(place.at, -1) } : place;
    return transaction.effects.reduce((now, effect) => (effect.is(setErrorLine) ? effect.value : now), moved);
  },
});

export function errorLine(): Extension {
  return [
    field,
    gutterLineClass.compute([field, "doc"], (state) => {
      const place = state.field(field);
      return place ? RangeSet.of([MARK.range(state.doc.lineAt(place.at).from)]) : RangeSet.empty;
    }),
    EditorView.decorations.compute([field, "doc"], (state) => {
      const place = state.field(field);
      if (!place) return Decoration.none;
      const line = Decoration.line({ class: "sa-error-line", attributes: { title: place.why } });
      return Decoration.set([line.range(state.doc.lineAt(place.at).from)]);
    }),
  ];
}
