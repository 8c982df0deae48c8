"""The section on interviews of a real export: shares, agreement, quotes, fidelity; and what it keeps back."""

from __future__ import annotations

import types

import pandas as pd
import pytest
from support.analysis.interview_tables import interview_tables

from analysis.themes.fidelity import fidelity_rows
from analysis.themes.section import WITHHELD, interviews_section
from analysis.themes.table import coded_interviews
from study_app.domain.interviews.plan import InterviewPlan, Topic

STUDY = {"stages": [{"kind": "interview"}]}
PLAN = InterviewPlan(
    id="exit", languages=("en",),
    topics=(
        Topic(id="time", goal="g", core={"en": "How was it?"}, probes=1),
        Topic(id="help", goal="g", core={"en": "What helped you?"}, probes=0),
    ),
)  # fmt: skip


def view(tables, hidden=False):
    people = tables["participants"]
    given = {name: table for name, table in tables.items() if not hidden or name != "ratings"}
    return types.SimpleNamespace(participants=people, tables=given, hidden=hidden, control="no_ai")


def section(**more):
    return interviews_section(view(interview_tables(**more)), STUDY, [PLAN])


def test_shares_are_corrected_and_arms_compared_with_holm():
    found = section()
    assert found["program"] == "rules"
    assert found["gold"] == {"drawn": 20, "waiting": 0, "unsettled": 0}
    assert [(row["outcome"], list(row["n"])) for row in found["shares"]] == [
        ("theme_hurry", ["ai"]), ("theme_hurry", ["no_ai"]), ("theme_trust", ["ai"]), ("theme_trust", ["no_ai"]),
    ]  # fmt: skip
    assert all(row["ci_low"] < row["estimate"] < row["ci_high"] for row in found["shares"])
    assert [row["contrast"] for row in found["differences"]] == [["ai", "no_ai"]] * 2
    assert all(row["p_adjusted"] >= row["p_value"] for row in found["differences"])
    assert found["errors"]["hurry"]["arms"]["ai"]["precision"]["share"] < 1
    assert found["agreement"]["hurry"]["kappa"]["coders"] == ["ann", "ben"]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"gold": 0}, "no sample was drawn"),
        ({"coded_by_people": 15}, "5 of the drawn interviews wait for people"),
        ({"program": False, "late": 3}, "3 interviews came after the sample was drawn; draw again"),
        ({"late": 3}, "3 interviews came after the sample was drawn; draw again"),
        ({"uncoded_by_program": 2}, "machine"),
    ],
)
def test_a_share_that_only_a_program_counted_is_not_given(changes, said):
    found = section(**changes)
    assert (found["shares"], found["differences"]) == ([], [])
    assert said in found["why_no_shares"]


def test_an_answer_whose_replies_could_not_be_read_counts_as_without_codes():
    assert "why_no_shares" in section(uncoded_by_program=3)
    found = section(uncoded_by_program=3, unread=True)
    assert found["unread"] == 3
    assert len(found["shares"]) == 4


def test_where_people_coded_everything_their_share_is_the_share():
    found = section(gold=40, coded_by_people=40, program=False)
    ai = next(row for row in found["shares"] if row["id"] == "theme:hurry:ai")
    tables = interview_tables(gold=40, coded_by_people=40, program=False)
    by_ann = tables["ratings"].query("rater == 'ann' and rubric.str.startswith('exit')")
    odd = by_ann[by_ann["object"].str.extract(r"i(\d+)", expand=False).astype(int) % 2 == 1]
    assert ai["estimate"] == pytest.approx(odd["value"].str.contains("hurry").mean())
    assert ai["detail"]["gold"] == ai["n"]["ai"]


def test_of_an_induced_codebook_only_the_other_half_counts():
    found = section(induced=True)
    assert found["coded"] == 20
    assert sum(sum(row["n"].values()) for row in found["shares"][:2]) == 20


def test_codes_older_than_the_freeze_do_not_count():
    tables = interview_tables()
    early = tables["ratings"].assign(
        rated_at=lambda rows: rows["rated_at"].where(rows["rubric"] == "codebook", "2020-01-01")
    )
    coded = coded_interviews(tables | {"ratings": early.assign(rated_at=pd.to_datetime(early["rated_at"], utc=True))},
                             tables["participants"])  # fmt: skip
    assert coded.codes == {}


def test_quotes_need_consent_ten_people_and_release():
    shown = section(quotes=True)["quotes"]
    assert list(shown["shown"]) == ["hurry"]
    assert shown["shown"]["hurry"] == ["the clock ran […]"]
    assert shown["kept_back"] == {"no consent to share": 1, "fewer than 10 people have the theme": 1}


def test_a_masked_trial_has_no_section_and_a_study_without_interviews_none_at_all():
    tables = interview_tables()
    assert interviews_section(view(tables, hidden=True), STUDY) == {"note": WITHHELD}
    assert interviews_section(view(tables), {"stages": [{"kind": "quiz"}]}) == {}
    bare = {name: table for name, table in tables.items() if name != "interviews"}
    assert interviews_section(view(bare), STUDY) == {"note": "the dataset has no interviews"}


def test_fidelity_counts_what_questions_kept_by_language_and_arm():
    turns = [
        ("i1", "time", "core", "How was it?", 10.0), ("i1", "time", "probe", "Great! Why? And when?", 4.0),
        ("i1", "time", "probe", "Don't you think it was hard?", None), ("i2", "time", "core", "How was it?", 2.0),
        ("i2", "help", "core", "Was hat Ihnen dabei geholfen und wie war das?", 6.0),
    ]  # fmt: skip
    tables = {
        "interviews": pd.DataFrame({
            "interview_id": ["i1", "i2"], "participant_id": ["p1", "p2"], "language": "en", "plan": "exit",
            "ended_by": ["stopped", "completed"],
        }),
        "interview_turns": pd.DataFrame([
            {"interview_id": i, "participant_id": f"p{i[1]}", "topic": t, "action": a, "question": q, "words": w}
            for i, t, a, q, w in turns
        ]),
    }  # fmt: skip
    people = pd.DataFrame({"participant_id": ["p1", "p2"], "arm": ["ai", "no_ai"]})
    ai, no_ai = fidelity_rows(tables, people, [PLAN])
    assert (ai["language"], ai["arm"], ai["questions"]) == ("en", "ai", 3)
    counts = {
        name: (ai[name]["count"], ai[name]["n"]) for name in ("one_question", "praise", "leading", "language_kept")
    }
    assert counts == {"one_question": (2, 3), "praise": (1, 3), "leading": (1, 3), "language_kept": (3, 3)}
    assert (ai["probes_in_budget"]["count"], ai["probes_in_budget"]["n"]) == (0, 1)
    assert (ai["must_covered"]["count"], ai["must_covered"]["n"]) == (1, 2)
    assert (ai["stopped"]["count"], ai["words_an_answer"]["mean"]) == (1, 7.0)
    assert no_ai["language_kept"]["count"] == 1
    assert no_ai["must_covered"]["share"] == 1.0
    assert fidelity_rows(tables, people)[0]["must_covered"]["share"] is None


def test_judgements_of_each_criterion_are_averaged_over_interviews():
    rows = {row["criterion"]: row for row in section(audits=True)["audit"]}
    assert (rows["openness"]["n"], rows["openness"]["raters"], rows["openness"]["mean"]) == (2, 2, 3.25)
    assert rows["necessity"]["mean"] is None
