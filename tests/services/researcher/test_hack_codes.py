"""Classes of submissions by people: blind, by two, settled where they differ, and in the report with kappa."""

from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import replace

import pytest
from jinja2 import Environment, PackageLoader, StrictUndefined
from streamlit.testing.v1 import AppTest
from support.trials.console_trial import Trial
from support.trials.export_world import table
from support.trials.simulations import run
from support.trials.variant_study import variant_study
from support.warm_processes import run_study

from analysis.data.load import load
from analysis.measurement.agreement import cohen_kappa
from analysis.pipeline.analyse import analyse
from analysis.report.wording import number
from study_app.bootstrap import install
from study_app.dataset.verification import verify
from study_app.domain.errors import NotAllowed, ProblemsFound
from study_app.services.researcher.blind_codes.hack_sheets import HackSheets
from study_app.services.researcher.blind_codes.hacks import HackCodes
from study_app.services.researcher.exporting.export import export


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """People who all hack the variant, and half of whose others report a task that can be done."""
    folder = tmp_path_factory.mktemp("hacks")
    rates = "[rehearsal.variants]\nreports = 0.0\nhacks = { variant = 1.0 }\nmistaken = 1.0\n[analysis]"
    app, _ = run(folder, variant_study(folder, **{"[analysis]": rates}), participants=8)
    yield app, folder
    app.close()


def written(template: str, results: dict) -> str:
    environment = Environment(loader=PackageLoader("analysis.report"), autoescape=True, undefined=StrictUndefined)
    # The page's macros name filters that this section does not use.
    others = ("p", "note", "analysis_name", "shown", "bounds_note", "population", "counts", "compact")
    environment.filters |= {"num": number} | dict.fromkeys(others, str)
    return environment.get_template(template).render(result=results, stamps=[], labels={})


def test_programs_are_coded_blind_settled_and_reported_with_kappa(trial):
    app, folder = trial
    codes = HackCodes(app.context)
    waiting = codes.waiting("eva", "simulated")
    assert len(waiting) > 3
    # Neither participant nor arm is in what a coder meets; the task is the one that was shown.
    assert not {"participant_id", "arm"} & set(vars(waiting[0]))
    assert any("Two words are framed in one line." in each.brief for each in waiting)
    assert [each.run_id for each in waiting] != [each.run_id for each in codes.waiting("finn", "simulated")]
    given = {each.run_id: "special_case" if each.passes_seen else "honest_report" for each in waiting}
    for name, value in given.items():
        codes.code("eva", name, value)
    assert codes.waiting("eva", "simulated") == []
    odd = next(name for name, value in given.items() if value == "special_case")
    others = given | {odd: "none"}
    for name, value in others.items():
        codes.code("finn", name, value)
    assert codes.counts("simulated")[:2] == (len(given), len(given) - 1)

    # Who has coded sees what they coded; who has not may settle, and is then not asked to code what is disputed.
    assert [each.program.run_id for each in codes.disagreements("eva", "simulated")] == [odd]
    (open_one,) = codes.disagreements("gus", "simulated")
    assert sorted(open_one.classes) == ["none", "special_case"]
    codes.look("gus", odd)
    assert odd not in {each.run_id for each in codes.waiting("gus", "simulated")}
    for act in (lambda: codes.code("gus", odd, "none"), lambda: codes.code_all("gus", {odd: "none"}, "simulated")):
        with pytest.raises(NotAllowed, match="seen"):
            act()
    with pytest.raises(NotAllowed, match="reason"):
        codes.settle("gus", odd, "special_case", "  ")
    codes.settle("gus", odd, "special_case", "It asks for the example's words.")
    assert codes.disagreements("eva", "simulated") == []
    assert [each.value for each in codes.settled("simulated")] == ["special_case"]
    with pytest.raises(NotAllowed, match="settled"):
        codes.code("hana", odd, "none")

    export(app.context, folder / "out", include_simulated=True)
    submissions = {row["run_id"]: row for row in table(folder / "out", "runs") if row["kind"] == "submission"}
    assert {submissions[name]["hack_class"] for name, value in given.items() if value == "special_case"} == {
        "special_case"
    }
    assert {submissions[name]["hack_author"] for name, value in given.items() if value == "special_case"} == {"typed"}
    results = analyse(load(folder / "out"), include_simulated=True)
    section = results["passing"]["coding"]
    assert (section["coded"], section["twice"], section["open"]) == (len(given), len(given), 0)
    pair = section["people"]["eva and finn"]
    assert pair["kappa"] == pytest.approx(float(cohen_kappa(list(given.values()), list(others.values()))))
    assert pair["ci_low"] <= pair["kappa"] <= pair["ci_high"]
    assert pair["by_class"]["special_case"]["kappa"] < 1
    assert section["rules"]["n"] == len(given)
    hacks = sum(value == "special_case" for value in given.values())
    assert section["classes"]["special_case"] == {"plain": 0, "variant": hacks}
    assert section["authors"] == {"typed": {"plain": 0, "variant": hacks}}
    assert {finding.name for finding in verify(folder / "out").findings} <= {"time_backwards"}
    page = written("passing.html.j2", results)
    assert "Classes by people who coded blind" in page
    assert "rules and people" in page

    # A reason may repeat the program: it goes with it, and the audit log has never held it.
    app.acts.erase(submissions[odd]["participant_id"], "asked for it", "gus")
    with app.context.registry.begin(write=False) as unit:
        assert not [each for each in unit.ratings() if each.object.endswith(odd)]
        assert [(each.who, each.why) for each in unit.audit_of(("adjudicate",))] == [("gus", "")]


@pytest.mark.parametrize(("who", "value"), [("rules", "none"), ("adjudicated", "none"), ("eva", "a hack")])
def test_a_class_that_cannot_be_given_is_refused(trial, who, value):
    with pytest.raises(NotAllowed):
        HackCodes(trial[0].context).code(who, "no program", value)


def test_a_program_that_is_not_there_cannot_be_coded(trial):
    with pytest.raises(NotAllowed, match="reload"):
        HackCodes(trial[0].context).code("eva", "no program", "none")


def filled(text: str, classes: dict[str, str]) -> str:
    """A sheet as a spreadsheet saves it, with classes in the rows of these programs."""
    rows = list(csv.DictReader(io.StringIO(text)))
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]), delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(row | {"class": classes.get(row["run_id"], "")} for row in rows)
    return "\ufeff" + out.getvalue()


def test_a_sheet_goes_out_blank_and_its_classes_come_in_again(trial, tmp_path):
    app, folder = trial
    database = ["--database", f"sqlite:///{folder}/study.db", "--study", folder / "study.toml", "--of", "simulated"]

    def commanded(*arguments):
        return run_study(["code", "hacks", *arguments, *database, "--json"], cwd=tmp_path, environment=dict(os.environ))

    sheet = tmp_path / "ines.csv"
    done = commanded("export", "--coder", "ines", "--out", sheet)
    assert done.returncode == 0, done.stderr
    codes = HackCodes(app.context)
    waiting = codes.waiting("ines", "simulated")
    rows = list(csv.DictReader(io.StringIO(sheet.read_text(encoding="utf-8"))))
    assert json.loads(done.stdout)["programs"] == len(rows) == len(waiting) > 1
    assert [row["run_id"] for row in rows] == [each.run_id for each in waiting]
    assert {row["class"] for row in rows} == {""}
    assert not any("participant" in name or "arm" in name for name in rows[0])
    assert {row["code"].removeprefix("'") for row in rows} == {each.code for each in waiting}

    first, second = waiting[0].run_id, waiting[1].run_id
    blank = sheet.read_text(encoding="utf-8")
    wrong = filled(blank, {first: "a hack", second: "none"})
    sheet.write_text(wrong + "unknown;none" + ";" * (len(rows[0]) - 2) + "\r\n", encoding="utf-8")
    done = commanded("import", sheet, "--coder", "ines")
    assert done.returncode != 0
    assert "row 2" in done.stderr
    assert "'a hack' is not a class" in done.stderr
    assert "'unknown' cannot be coded here" in done.stderr
    assert codes.waiting("ines", "simulated") == waiting

    sheet.write_text(filled(blank, {first: "special_case", second: "none"}), encoding="utf-8")
    done = commanded("import", sheet, "--coder", "ines")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) | {"file": ""} == {
        "file": "", "coder": "ines", "codes": 2, "unchanged": 0, "left": len(rows) - 2,
    }  # fmt: skip
    assert {each.run_id for each in waiting} - {each.run_id for each in codes.waiting("ines", "simulated")} == {
        first, second,
    }  # fmt: skip
    again = commanded("import", sheet, "--coder", "ines")
    assert json.loads(again.stdout)["unchanged"] == 2
    for who in ("rules", "adjudicated"):
        with pytest.raises(NotAllowed, match="no coder named"):
            HackSheets(app.context).read("cli", who, "simulated", sheet)


def test_a_sheet_that_is_filled_in_further_holds_a_program_on_which_another_coder_differs(trial, tmp_path):
    app, _ = trial
    codes, sheets = HackCodes(app.context), HackSheets(app.context)
    text, _ = sheets.written("cli", "lea", "simulated")
    first, second = (each.run_id for each in codes.waiting("lea", "simulated")[:2])
    sheet = tmp_path / "lea.csv"
    sheet.write_text(filled(text, {first: "none"}), encoding="utf-8")
    sheets.read("cli", "lea", "simulated", sheet)
    codes.code("max", first, "special_case")
    codes.look("lea", first)
    sheet.write_text(filled(text, {first: "none", second: "none"}), encoding="utf-8")
    taken = sheets.read("cli", "lea", "simulated", sheet)
    assert (taken["codes"], taken["unchanged"]) == (1, 1)
    # Another class than before would rest on what others gave.
    sheet.write_text(filled(text, {first: "special_case", second: "none"}), encoding="utf-8")
    with pytest.raises(ProblemsFound, match="seen others' classes"):
        sheets.read("cli", "lea", "simulated", sheet)


@pytest.mark.usefixtures("main_module")
def test_opening_programs_to_code_uses_none_up_and_disagreements_are_shown_to_who_asks(trial):
    app, _ = trial
    codes = HackCodes(app.context)
    there = codes.waiting("nia", "simulated")[0].run_id
    codes.code("nia", there, "none")
    codes.code("olaf", there, "special_case")

    def script() -> None:
        from types import SimpleNamespace

        from study_app.bootstrap import current
        from study_app.services.researcher.blind_codes.hacks import HackCodes
        from study_app.ui.console.pages.codes.programs import programs

        programs(SimpleNamespace(person=SimpleNamespace(name="pia")), HackCodes(current().context), "simulated")

    waiting = codes.waiting("pia", "simulated")
    install(app)
    page = AppTest.from_function(script, default_timeout=60).run()
    assert not page.exception
    assert codes.waiting("pia", "simulated") == waiting
    page.segmented_control(key="hack_part").set_value("Disagreements").run()
    assert not page.exception
    assert "Disagreements" in [each.value for each in page.header]


def test_a_sheet_is_taken_whole_or_not_at_all_where_a_program_went_after_it_was_looked_through(trial):
    codes = HackCodes(trial[0].context)
    there = codes.waiting("jo", "simulated")[0].run_id
    with pytest.raises(NotAllowed, match="by now"):
        codes.code_all("jo", {there: "none", "gone": "none"}, "simulated")
    assert there in {each.run_id for each in codes.waiting("jo", "simulated")}


def test_judgements_of_people_whom_an_export_leaves_out_are_not_missed_in_it(trial, tmp_path):
    app, _ = trial
    codes = HackCodes(app.context)
    codes.code("kai", codes.waiting("kai", "simulated")[0].run_id, "none")
    export(app.context, tmp_path / "out")
    assert table(tmp_path / "out", "ratings") == []
    assert verify(tmp_path / "out").findings == []


def test_programs_of_a_study_without_variants_are_not_coded(tmp_path):
    trial = Trial(tmp_path, launched=True)
    who = trial.enter()
    trial.to_tasks(who)
    trial.finish(who)
    with trial.app.context.registry.begin() as unit:
        for run in unit.runs(who):
            failed = ({"name": "a", "visible": True, "passed": False},)
            unit.update_run(replace(run, checks=failed, ended_by="exit"))
    assert HackCodes(trial.app.context).waiting("ann", "real") == []
    trial.close()
