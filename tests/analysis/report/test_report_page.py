"""The report: self-contained, every number traceable, no claim without its interval."""

from __future__ import annotations

import json
import re
from html import unescape
from html.parser import HTMLParser
from xml.etree import ElementTree

import pandas as pd
import pytest
from support.analysis.synthetic_trial import write

from analysis.cli import analyze
from analysis.report.checklists.consort import ITEMS
from analysis.report.flow_diagram import diagram
from analysis.report.scales import shown
from analysis.report.sentences.decision import verdict
from analysis.report.wording import analysis_name, counts, note, number, p_phrase, tidy

FAST = {"replicates": 199}


class Page(HTMLParser):
    """Collects what the tests ask about."""

    VOID = frozenset({"meta", "link", "br", "img", "input", "hr", "path", "use", "rect"})

    def __init__(self) -> None:
        super().__init__()
        self.results: set[str] = set()
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.anchors: set[str] = set()
        self.open: list[str] = []
        self.unmatched: list[str] = []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag not in self.VOID:
            self.open.append(tag)
        if "data-result" in attributes:
            self.results.add(attributes["data-result"])
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag == "a":
            self.anchors.add(attributes["href"].removeprefix("#"))
        self.addresses += [value for name, value in attrs if name in ("src", "href", "xlink:href", "data") and value]

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag in self.VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.unmatched.append(tag)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    base = tmp_path_factory.mktemp("report")
    folder = write(base / "data", noncompliance=0.2, dropout=0.1, missing_quiz=0.05, plan=FAST)
    _grade(folder)
    _unblind(folder)
    out = analyze(folder, base / "out").out
    html = (out / "report.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(html)
    return out, html, page, json.loads((out / "results.json").read_text(encoding="utf-8"))


def _grade(folder) -> None:
    """Two people grade ten answers by two criteria, and differ on one; two of the people answered it before, too."""
    people = pd.read_csv(folder / "data" / "study-made_description-participants_data.csv")["participant_id"][:10]
    rows = []
    stored = {"rubric": "points", "rated_at": "2026-02-01T00:00:00.000Z"}
    for place, who in enumerate(people):
        for rater in ("eva", "finn"):
            value = json.dumps({"names": place % 2, "why": 1 if place == 3 and rater == "finn" else 0})
            named = {"rating_id": f"{rater}{place}", "object": f"answer:{who}:quiz:q1", "rater": rater}
            rows.append(named | {"value": value} | stored)
            if place < 2:
                before = {"rating_id": f"{rater}{place}b", "object": f"answer:{who}:pretest:q1", "rater": rater}
                rows.append(before | {"value": json.dumps({"names": place, "why": 0})} | stored)
    pd.DataFrame(rows).to_csv(folder / "data" / "study-made_description-ratings_data.csv", index=False)


def _unblind(folder) -> None:
    """Two arms were shown, and one person excluded a participant afterwards."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    act = {"at": "2026-01-20T09:00:00.000Z", "participant_id": "p1", "by": "person 1", "why": "ill & unwell"}
    manifest["audit"] = {
        "unblindings": [act, act | {"by": "person 2"}],
        "looks": [{"at": act["at"], "by": "person 1", "seen": "queries"}],
        "exclusions": [act | {"after_unblinding": True}, act | {"after_unblinding": False}],
        "judgements_after_unblinding": [{"by": "person 1", "rubric": "points", "n": 3}],
        "judgements_after_unsealing": [{"rubric": "codes-1", "n": 7}],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def test_unblindings_and_what_followed_them_are_in_the_report(made):
    out, html, page, result = made
    assert result["blinding"]["counts"] == {
        "unblindings": 1, "looks": 1, "exclusions_after_unblinding": 1, "judgements_after_unblinding": 3,
        "judgements_after_unsealing": 7,
    }  # fmt: skip
    assert "ratings and codes were given after unsealing" in html
    assert [act["by"] for act in result["blinding"]["exclusions"]] == ["person 1"]
    assert "blinding" in page.ids
    assert "ill &amp; unwell" in html
    assert "Arms shown: 1; first looks: 1" in html


@pytest.mark.slow
def test_the_agreement_of_graders_is_shown_by_criterion_and_in_points(made):
    _, html, page, result = made
    found = result["agreement"]["points"]
    assert (found["objects"], found["raters"], found["disagreements"]) == (12, 2, 1)
    assert [each["criterion"] for each in found["criteria"]] == ["names", "why"] * 2
    text = re.sub(r"<[^>]+>", " ", html)
    assert "Agreement of graders" in text
    assert all(f"q1 ({stage}): names" in text for stage in ("quiz", "pretest"))
    assert f"{number(found['icc']['value'])} ({number(found['icc']['ci_low'])} to" in text
    assert "agreement.points" in page.results


def test_the_page_is_well_formed_and_needs_nothing_from_outside(made):
    _, html, page, _ = made
    assert not page.unmatched
    assert not page.open
    assert all(address.startswith("#") for address in page.addresses)
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", html)
    assert "<script" not in html


def test_every_number_names_a_place_in_the_results(made):
    _, _, page, result = made
    rows = {row["id"] for row in result["estimates"]}
    places = {"flow", "baseline", "outcomes", "missing", "psychometrics", "agreement", "styles", "treatment"}
    places |= {"provenance", "passing", "blinding"}
    for name in page.results:
        assert name in rows or name.split(".")[0] in places, name
    assert {"quiz_points.rerandomization", "completion_minutes.rerandomization", "flow.allocated"} <= page.results


def test_every_row_of_the_results_is_on_the_page(made):
    _, _, page, result = made
    shown = {row["id"] for row in result["estimates"] if row["estimate"] is not None or row["note"]}
    assert shown <= page.results


def test_no_arm_is_named_by_its_id_outside_code(made):
    text = unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<(code|style)\b.*?</\1>", "", made[1], flags=re.S)))
    assert not re.findall(r".{30}(?<![\w.])(?:no_ai|ai)(?![\w.]).{30}", text)
    assert "of NO_AI" in text


def test_missing_data_have_patterns_and_a_figure_of_the_tipping_point(made):
    out, html, page, result = made
    gaps = result["missing"]
    assert sum(entry["n"] for entry in gaps["patterns"]) == gaps["n"]
    assert all(sum(entry["arms"].values()) == entry["n"] for entry in gaps["patterns"])
    by_name = {entry["variable"]: entry for entry in gaps["variables"]}
    lost = by_name["quiz_points"]
    assert lost["missing"] == sum(entry["n"] for entry in gaps["patterns"] if "quiz_points" in entry["missing"]) > 0
    assert (out / "figures" / "quiz_points_tipping.svg").exists()
    assert {"missing.n", "missing.variables.quiz_points", "missing.patterns.0"} <= page.results
    assert 'id="missing"' in html


def test_items_have_their_fit_and_how_they_act_in_each_arm(made):
    _, html, page, result = made
    quiz = result["psychometrics"]
    assert {row["item"] for row in quiz["item_fit"]} == {row["item"] for row in quiz["dif"]["ai"]}
    assert all(0 < row["infit"] < 3 for row in quiz["item_fit"])
    first = quiz["item_fit"][0]["item"]
    assert {f"psychometrics.item_fit.{first}", f"psychometrics.dif.ai.{first}"} <= page.results
    assert "Items that act unequally: AI against NO_AI" in html


def test_each_arm_has_its_restricted_mean_and_lees_bounds_their_interval_within_covariates(made):
    _, html, _, result = made
    rows = {row["id"]: row for row in result["estimates"]}
    gap = rows["completion_minutes.rmst"]
    for arm in ("ai", "no_ai"):
        assert rows[f"completion_minutes.rmst_by_arm.{arm}"]["estimate"] == pytest.approx(gap["detail"]["mean"][arm])
    assert "Mean time lost" in html
    bounds = rows["quiz_points.lee_bounds.covariates"]
    assert bounds["detail"]["cells"] > 1
    assert f"95% interval {number(bounds['detail']['imbens_manski'][0], 1)}" in html


@pytest.mark.parametrize(
    ("method", "detail", "p", "words"),
    [
        ("noninferiority", {"margin": 2.0, "better": "higher"}, 0.01, "AI is not worse than none by 2 points"),
        ("noninferiority", {"margin": 2.0, "better": "higher"}, 0.2, "non-inferiority is not shown"),
        ("tost", {"margin_low": -2.0, "margin_high": 2.0}, 0.01, "equivalence is shown: the difference between AI"),
        ("tost", {"margin_low": -2.0, "margin_high": 2.0}, 0.2, "equivalence is not shown"),
    ],
)  # fmt: skip
def test_a_test_against_a_margin_is_decided_by_its_margin(method, detail, p, words):
    row = {"method": method, "estimate": 0.4, "p_value": p, "p_adjusted": None, "unit": "points", "detail": detail}
    decision = verdict({**row, "contrast": ["a", "b"]}, {"a": "AI", "b": "none"}, 0.05)
    assert words in decision
    assert "zero" not in decision


def test_a_word_of_a_note_that_is_also_an_arm_is_no_arm():
    text = "0.2 of control trimmed; adjusted for the control; treated: 3 observed, 2.123456 expected; 'control'"
    arms = {"control": "Books", "treated": "Tutor"}
    want = "0.2 of Books trimmed; adjusted for the control; Tutor: 3 observed, 2.123 expected; 'Books'"
    assert note(text, arms, {}) == want
    assert note("_x_age, b_x missing, q.b_x", {}, {"age": "Age", "b_x": "Bmi"}) == "Age, Bmi missing, q.b_x"


def test_ids_are_unique_and_every_anchor_leads_somewhere(made):
    _, _, page, _ = made
    assert len(page.ids) == len(set(page.ids))
    assert page.anchors <= set(page.ids)


def test_the_word_significant_is_nowhere(made):
    assert "significan" not in made[1].lower()


def test_the_primary_sentence_holds_difference_interval_and_both_p_values(made):
    _, html, _, result = made
    row = next(entry for entry in result["estimates"] if entry["id"] == "quiz_points.rerandomization")
    text = re.sub(r"<[^>]+>", "", html)
    sentence = (
        f"{shown(row).value} points (95% interval {shown(row).interval}; "
        f"re-randomisation {p_phrase(row['p_value'])}; adjusted over 2 primary tests by Holm: "
        f"{p_phrase(row['p_adjusted'])})."
    )
    assert sentence in text
    assert re.search(r"mean −?\d+\.\d+ of 27 points \(SD \d+\.\d+, n = \d+\)", text)


def test_an_adjusted_difference_is_called_so_and_a_raw_one_is_not(made):
    _, html, _, result = made
    text = unescape(re.sub(r"<[^>]+>", "", html))
    rows = {row["id"]: row for row in result["estimates"]}
    for name, words in (("quiz_points", ", adjusted for the plan's covariates: "), ("completion_minutes", ": ")):
        row = rows[f"{name}.rerandomization"]
        assert f"AI minus NO_AI{words}{shown(row).value} {row['unit']} (95%" in text


def test_shares_of_people_have_intervals_between_zero_and_one(made):
    shares = [row for row in made[3]["estimates"] if row["id"].startswith("task_completed.mean.")]
    assert len(shares) == 2
    for row in shares:
        assert 0 <= row["ci_low"] < row["estimate"] < row["ci_high"] <= 1


def test_days_of_recruitment_stand_under_the_flow(made):
    _, html, page, result = made
    assert result["flow"]["recruitment"]["first"] <= result["flow"]["recruitment"]["last"]
    assert {"flow.recruitment.first", "flow.recruitment.last"} <= page.results


def test_people_are_counted_treated_first_whatever_the_row_lists_first():
    row = {"contrast": ["ai", "no_ai"], "n": {"no_ai": 27, "ai": 25}, "id": "time.logrank.last_activity"}
    assert counts(row) == "25 / 27"
    assert analysis_name({**row, "method": "logrank", "population": "itt"}) == "Log-rank test, last activity"


def test_a_row_that_stepped_down_is_not_called_lins():
    row = {
        "id": "quiz_points.lin",
        "method": "lin",
        "population": "itt",
        "note": "fallback from Lin (3 covariates): ...",
    }
    assert analysis_name(row) == "Lin's fallback"
    assert analysis_name({**row, "note": ""}) == "Lin-adjusted means"


@pytest.mark.slow
def test_several_arms_come_in_the_order_of_the_study_file_and_margins_are_answered(tmp_path):
    arms = ("no_ai", "hints", "ai")
    margin = {"outcome": "completion_minutes", "method": "noninferiority", "role": "primary"}
    margin["options"] = {"margin": 5.0, "better": "lower"}
    folder = write(tmp_path / "data", n=48, arms=arms, plan={"replicates": 99, "analyses": [margin]})
    html = (analyze(folder, tmp_path / "out").out / "report.html").read_text(encoding="utf-8")
    text = re.sub(r"<[^>]+>", "", html)
    assert text.index("HINTS minus NO_AI") < text.index("AI minus NO_AI")
    assert html.count("mean (SD), n</th>") == 2
    assert "CONSORT extension: non-inferiority and equivalence" in text
    assert "Completion time: 5 minutes, lower is better" in text
    assert re.search(r"(AI|HINTS) is not worse than NO_AI by 5 minutes|non-inferiority is not shown", text)
    assert "one-sided test p" in text
    assert "Two-sided, alpha 0.05; one-sided: Non-inferiority test" in text
    assert "CONSORT extension: multi-arm trials" in text
    assert "3 parallel arms, ratio 1:1:1" in text


def test_a_timeline_of_many_people_grows_and_other_figures_fit_the_window(made):
    rules = dict(re.findall(r"\n(figure[^{}]*> svg) \{([^}]*)\}", made[1]))
    assert "max-height: 720px" in rules["figure > svg"]
    assert "max-height: none" in rules['figure[data-figure="timelines"] > svg']


def test_figures_are_valid_svg_without_dates(made):
    files = sorted((made[0] / "figures").glob("*.svg"))
    assert {"quiz_points_estimation.svg", "completion_minutes_survival.svg", "items.svg"} <= {f.name for f in files}
    for file in files:
        text = file.read_text(encoding="utf-8")
        ElementTree.fromstring(text)
        assert "dc:date" not in text


def test_tables_hold_the_rows_of_the_results(made):
    out, _, _, result = made
    lines = (out / "tables" / "estimates.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + len(result["estimates"])


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory):
    """The page of simulated people of a draft whose title is markup."""
    base = tmp_path_factory.mktemp("rehearsed")
    folder = write(base / "data", simulated=True, state="draft", plan=FAST)
    path = folder / "materials" / "study.toml"
    text = path.read_text(encoding="utf-8")
    assert "A made-up trial" in text
    path.write_text(text.replace("A made-up trial", "<script>alert(1)</script>"))
    return (analyze(folder, base / "out", include_simulated=True).out / "report.html").read_text(encoding="utf-8")


def test_simulated_data_and_the_lack_of_a_frozen_plan_are_stamped_on_every_section(rehearsed):
    for section in re.findall(r"<section.*?</section>", rehearsed, flags=re.S):
        assert "SIMULATED DATA" in section
        assert "EXPLORATORY: no plan was frozen" in section
    assert "(exploratory)" not in rehearsed


def test_texts_of_the_study_are_escaped(rehearsed):
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in rehearsed
    assert "<script>" not in rehearsed


def test_the_checklist_has_each_of_the_thirty_items_in_order():
    numbers = [int(item.number.rstrip("abcd")) for item in ITEMS]
    assert sorted(set(numbers)) == list(range(1, 31))
    assert numbers == sorted(numbers)


def test_boxes_and_lines_of_the_flow_diagram_do_not_overlap():
    arm = {"allocated": 9, "received": 1, "discontinued": 2, "analysed": 7, "excluded": {"no quiz": 1, "left": 1}}
    flow = {
        "assessed": 60,
        "excluded": {"declined": 3, "screened_out": 8},
        "allocated": 45,
        "arms": dict.fromkeys("abcde", arm),
    }
    boxes = diagram(flow, {name: name for name in "abcde"}).boxes
    for box in boxes:  # 7.6 units a letter in bold at this size, and a margin either side
        assert all(7.6 * len(line.words + line.figure) + 28 <= box.width for line in box.lines if line.strong)
    for i, one in enumerate(boxes):
        for other in boxes[i + 1 :]:
            apart = one.x + one.width <= other.x or other.x + other.width <= one.x
            assert apart or one.bottom <= other.y or other.bottom <= one.y


def test_use_of_the_assistant_that_was_never_recorded_is_not_called_withheld():
    arm = {"allocated": 9, "received": None, "discontinued": 0, "analysed": 9, "excluded": {}}
    flow = {"assessed": 9, "excluded": {}, "allocated": 9, "arms": {"a": arm}}
    words = {
        hidden: [line.figure for box in diagram(flow, {"a": "a"}, hidden=hidden).boxes for line in box.lines]
        for hidden in (True, False)
    }
    assert {"withheld", "not recorded"} & set(words[True]) == {"withheld"}
    assert not {"withheld", "not recorded"} & set(words[False])


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_every_arm_has_an_arrow_with_a_head_into_its_first_box(count):
    arm = {"allocated": 9, "received": 1, "discontinued": 0, "analysed": 9, "excluded": {}}
    names = "abcde"[:count]
    flow = {"assessed": 9, "excluded": {}, "allocated": 9, "arms": dict.fromkeys(names, arm)}
    drawn = diagram(flow, {name: name for name in names})
    for box in (box for box in drawn.boxes if box.colour):
        assert any(arrow.head and (arrow.x2, arrow.y2) == (box.middle, box.y) for arrow in drawn.arrows)


def test_numbers_have_a_true_minus_and_never_a_negative_zero():
    assert number(-1.234) == "−1.23"
    assert number(-0.001) == "0.00"
    assert number(None) == "–"
    assert p_phrase(0.0004) == "p < 0.001"
    assert tidy("set: [-5.01905608, 1]") == "set: [−5.019, 1]"
