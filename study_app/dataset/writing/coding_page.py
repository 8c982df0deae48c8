"""documentation/coding.md: the code book of queries and the rules of patterns, as a dataset was made with them."""

from __future__ import annotations

from study_app.dataset.measures.interaction import Coding
from study_app.domain.interaction.codebook import DEFINITIONS, VERSION
from study_app.domain.interaction.patterns import NONE

_CODERS = {
    "rules": "by rules in the code of study-app, of participants in English; others stay uncoded",
    "human": "by people: the adjudicated coding of a query, else the labels that more than half of them gave",
    "claude": "by a model, whose codes are stored as ratings of the rater `claude`",
}


def coding_page(coding: Coding) -> str:
    """Return the page for a dataset that was coded so."""
    facts = coding.described()
    version = f", version `{facts['coder_version']}`" if "coder_version" in facts else ""
    labels = [f"| `{label}` | {meaning} |" for label, meaning in DEFINITIONS.items()]
    rules = [f"| {rule.pattern} | `{rule.when.text}` | {rule.why} |" for rule in coding.patterns.rules]
    return "\n".join(
        [
            "# Codes of queries and patterns of use",
            "",
            f"Queries (`turns.codes`, `queries_...`) were coded {_CODERS[coding.coder]}{version}. A query may have "
            f"several labels of the code book `{VERSION}`, or none:",
            "",
            "| label | meaning |",
            "| --- | --- |",
            *labels,
            "",
            f"`interaction_pattern` is that of the first rule of the set `{coding.patterns.version}` that holds, or "
            f"`{NONE}`. Counts are of the main tasks; a figure that is not known makes every comparison with it false:",
            "",
            "| pattern | holds where | meaning |",
            "| --- | --- | --- |",
            *rules,
            "",
        ]
    )
