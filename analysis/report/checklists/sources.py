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
    NamedItem("1a", "Which models were used, where in the study and for what (must)",
              "[[arms]] assistant; [analysis] coder", "role"),
    NamedItem("1b", "What they were to do, for people or researchers, and what was hoped for (should)",
              "the introduction"),
    NamedItem("2a", "Model as served, settings and dates of use (must)", "turns: model, prompt_version",
              "models"),
    NamedItem("2b", "All settings, defaults too, and why this model (should)", "assistants/*.toml in materials/",
              "settings", "why this model"),
    NamedItem("2c", "Whether the model stayed the same while it was used (should)", "report: The treatment throughout",
              "stayed"),
    NamedItem("3a", "What stands around the model and what the model adds (must)", "assistants/*.toml in materials/",
              "around"),
    NamedItem("3b", "How it was prompted: with or without worked examples (must)",
              "assistants/*.toml in materials/: prompt", "prompting", "whether the prompts hold worked examples"),
    NamedItem("3c", "All prompts, and what is filled into them (must)", "materials/", "prompts"),
    NamedItem("3d", "Where it ran: service or own machine (must)", "turns: assistant", "hosting"),
    NamedItem("3e", "Of an acting assistant: tools, role, who decides (must)", "[agent] in assistants/*.toml",
              "agents"),
    NamedItem("3f", "How the prompts came about and were tried (should)", "the methods section"),
    NamedItem("3g", "Prompts by participants: how they were collected and read (should)", "turns; [analysis] coder",
              "collected"),
    NamedItem("4a", "Logs of the interaction (should)", "turns", "logs"),
    NamedItem("4b", "Of an acting assistant: every step and decision (should)", "agent_actions", "steps"),
    NamedItem("5a", "Measures, and why these (must)", "[analysis] outcomes", "measures", "why these"),
    NamedItem("5b", "A baseline without a model (should)", "[[arms]] control", "baseline"),
    NamedItem("5c", "How much replies vary when asked again (should)", "model_replies", "repeated"),
    NamedItem("6", "An open model beside a commercial one, or why not (should)", "[[arms]], [assistants]", "open_model",
              "whether one of them is open"),
    NamedItem("7a", "What models put out was checked by people, with agreement (must)",
              "agreement in results.json; ratings", "agreement"),
    NamedItem("7b", "Who these people were and how they were prepared (should)", "ratings: rater; the methods section"),
    NamedItem("8a", "Limits: that replies vary, that models go, what they had read before (must)",
              "report: Deviations, Sensitivity"),
    NamedItem("8b", "What is kept for when the model is gone (should)", "study record; model_looks", "kept"),
    NamedItem("8c", "Consent, privacy and what went to a provider (must)", "ethics; consent page", "ethics",
              "what the provider may keep"),
)  # fmt: skip
"""The eight guidelines of arXiv 2508.15503 as released in September 2026, each with what it must or should have."""
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
    NamedItem("internal e", "The model stayed the same", "turns: model; verify: model_differs, model_drifted",
              "stayed"),
    NamedItem("external a", "Who took part, and how they were recruited", "[recruitment]; report: Baseline",
              "people"),
    NamedItem("external b", "Whether effects differ between groups of people", "[analysis] subgroups", "groups"),
    NamedItem("external c", "For whom the effect is better or worse: equity", "a sentence by a person"),
    NamedItem("statistical a", "Sample size with its reason", "[recruitment] target_n; study power",
              "size", "the reason"),
    NamedItem("statistical b", "A plan before the data, and one family of tests", "[analysis]; prereg.json", "family"),
    NamedItem("statistical c", "Estimates with intervals", "report: Primary result", "primary"),
    NamedItem("statistical d", "Whether the effect matters in practice, by a threshold from before the data",
              "[analysis] margins", "margins", "what it means for costs, scale and time of use"),
    NamedItem("statistical e", "Evidence by degree: exact p beside effect and interval, .005 for a claim that is new",
              "report: Primary result", "exact_p"),
    NamedItem("transparency a", "Registration, protocol and amendments", "prereg.json; versions", "registered"),
    NamedItem("transparency b", "Data, materials and code that others can run", "manifest.json; supplement/",
              "shared"),
    NamedItem("transparency c", "What the figures rest on can be checked", "study verify; provenance", "verified"),
)  # fmt: skip
"""By the five principles of arXiv 2605.02050 and the topics that its abstract names; see `CAVEATS`."""
CAVEATS = {
    "ai-rct": "By principle and by the topics of the paper's abstract and of what others quote of it: its 33 "
    "guidelines were not at hand, so their numbers and their whole list are not here. "
    f"Of the 33, {33 - len(AI_RCT)} or more have no row, and which these are is not known here. Go through the paper "
    "itself (arXiv 2605.02050) beside this table.",
    "llm-se": "The eight guidelines of arXiv 2508.15503 (release 2026.09), in our words and as far as a trial of this "
    "kind meets them; items on tuned, quantised and benchmarked models stand in the paper (llm-guidelines.org).",
    "erct": "The twelve criteria of erctpapers.com, in our words; whether one is met is for its reader to judge.",
    "consort": "Items of CONSORT 2025 and of the extensions that the design calls for, in our own words.",
}
NAMED = {"erct": ERCT, "llm-se": LLM_SE, "ai-rct": AI_RCT}
