"""Checklists beside CONSORT by name, in our own words: where each item's answer is found, and who has to write it."""

from __future__ import annotations

from typing import NamedTuple


class NamedItem(NamedTuple):
    """One item of a named checklist."""

    number: str
    topic: str
    where: str
    """Key of the study file, column of the dataset, or section of the report."""
    fact: str = ""
    """Name of the fact that answers it (`analysis.report.checklists.named`); empty: a person must write it."""
    rest: str = ""
    """What a person must still write beside the fact."""


ERCT = (
    NamedItem("1.C", "Whole classes were allocated, or teaching is personal", "[allocation] method", "unit"),
    NamedItem("1.E", "The outcome is a standardised exam", "stages of kind quiz: bank", "own_quiz"),
    NamedItem("1.T", "Outcomes a term or more after the start", "[[sessions]] delay_days", "followed"),
    NamedItem(
        "1.D",
        "The control group is described: numbers, baseline, what it did",
        "report: Baseline",
        "control",
        "what it did",
    ),
    NamedItem("2.S", "Whole schools were allocated", "[allocation] cluster", "schools"),
    NamedItem("2.I", "People other than the makers of the intervention ran the study", "researchers"),
    NamedItem("2.Y", "Outcomes a year or more after the start", "[[sessions]] delay_days", "followed"),
    NamedItem(
        "2.B",
        "Time and means alike in both groups, or the difference is the treatment",
        "[[arms]]",
        "alike",
        "means beside time",
    ),
    NamedItem("3.R", "Another team replicated the result", "outside the dataset"),
    NamedItem("3.A", "Effects on all main subjects were measured", "outside the dataset", "one_subject"),
    NamedItem("3.G", "People were followed until they graduated", "[[sessions]]", "followed"),
    NamedItem("3.P", "The protocol was registered before the data", "prereg.json", "registered"),
)
"""The twelve criteria of the Educational RCT Standard (erctpapers.com), three levels of four."""
LLM_SE = (
    NamedItem("1", "That models were used, and for what", "[[arms]] assistant; [analysis] coder", "role"),
    NamedItem("2", "Versions, configuration and changes of the models", "turns: model, prompt_version", "models"),
    NamedItem("3", "What stands around the model: tools, context, safeguards", "assistants/*.toml in materials/",
              "around"),
    NamedItem("4", "Prompts, how they came about, and logs of the interaction", "turns; treatments/ in materials/",
              "logs"),
    NamedItem("5", "People checked what models put out", "agreement in results.json; ratings", "agreement"),
    NamedItem("6", "An open model as a baseline", "[[arms]], [assistants]", "open_model",
              "whether one of them is open"),
    NamedItem("7", "Suitable baselines, benchmarks and measures", "[[arms]] control; [analysis] outcomes", "measures"),
    NamedItem("8", "Limitations, and what was done about them", "report: Deviations, Sensitivity"),
)  # fmt: skip
"""The eight guidelines of arXiv 2508.15503, by the topics that its abstract names."""
AI_RCT = (
    NamedItem("construct a", "The outcome is what people can do, not what the model puts out",
              "[analysis] estimands: variable", "estimands"),
    NamedItem("construct b", "Outcomes measure what they claim: reliability of the quiz", "report: Psychometrics",
              "reliability"),
    NamedItem("construct c", "Who used the assistant how", "turns; participants: queries, interaction_pattern", "use"),
    NamedItem("internal a", "Random, concealed allocation", "[allocation]; allocations; prereg.json", "allocation"),
    NamedItem("internal b", "Contamination: other AI in the control arm, and none where it was offered",
              "participants: used_other_ai, received, compliant", "contamination"),
    NamedItem("internal c", "Spillover between people", "[allocation] cluster", "unit"),
    NamedItem("internal d", "Attrition by arm", "report: Flow", "attrition"),
    NamedItem("internal e", "The model stayed the same", "turns: model; verify: model_differs", "models"),
    NamedItem("external a", "Who took part, and how they were recruited", "[recruitment]; report: Baseline",
              "people"),
    NamedItem("external b", "Whether effects differ between groups of people", "[analysis] subgroups", "groups"),
    NamedItem("external c", "For whom the effect is better or worse: equity", "a sentence by a person"),
    NamedItem("statistical a", "Sample size with its reason", "[recruitment] target_n; study power",
              "size", "the reason"),
    NamedItem("statistical b", "A plan before the data, and one family of tests", "[analysis]; prereg.json", "family"),
    NamedItem("statistical c", "Estimates with intervals", "report: Primary result", "primary"),
    NamedItem("statistical d", "Whether the effect matters in practice", "[analysis] margins", "margins"),
    NamedItem("transparency a", "Registration, protocol and amendments", "prereg.json; versions", "registered"),
    NamedItem("transparency b", "Data, materials and code that others can run", "manifest.json; supplement/",
              "shared"),
    NamedItem("transparency c", "What the figures rest on can be checked", "study verify; provenance", "verified"),
)  # fmt: skip
"""By the five principles of arXiv 2605.02050 and the topics that its abstract names; see `CAVEATS`."""
CAVEATS = {
    "ai-rct": "By principle and by the topics of the paper's abstract; the numbers and wording of its 33 guidelines "
    "are not reproduced here: go through the paper itself (arXiv 2605.02050) beside this table.",
    "llm-se": "By the topics of the abstract of arXiv 2508.15503; each guideline's must and should criteria stand in "
    "the paper.",
    "erct": "By the names of the twelve criteria at erctpapers.com; whether one is met is for its reader to judge.",
    "consort": "Items of CONSORT 2025 and of the extensions that the design calls for, in our own words.",
}
NAMED = {"erct": ERCT, "llm-se": LLM_SE, "ai-rct": AI_RCT}
