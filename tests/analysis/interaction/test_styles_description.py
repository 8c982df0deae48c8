"""Features, trajectory, transitions, turn times, clusters and figures, from both sources."""

import json
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from support.analysis.transcript_maker import asked, seen, transcript, write

from analysis.data.load import load
from analysis.interaction import styles_section
from analysis.interaction.clusters import FEATURES, clusters
from analysis.interaction.features import participant_features
from analysis.interaction.intervals import mean, pooled_share, quantile, share
from analysis.interaction.patterns import assign
from analysis.interaction.process import transitions
from analysis.interaction.reply_times import USES, interruptions, reply_use, takeovers, turn_durations
from analysis.interaction.selection import annotate, chosen_codes, differences, main_tables, with_codes
from analysis.interaction.timeline import timeline
from analysis.interaction.trajectory import trajectory
from analysis.pipeline.planning.plan import plan_of
from analysis.plotting import svg
from analysis.published_study import import_transcripts
from analysis.report.interaction_figures import flow_plot, swimlanes, trajectory_plot
from study_app.domain.errors import UserError


@dataclass(frozen=True)
class Plan:
    coder: str = "rules"


def at(second):
    return f"2026-03-01T10:{second // 60:02d}:{second % 60:02d}.250Z"


def own_export():
    """One exported person: edits, a query for code, its paste, a run with an error, a query, a submission."""
    events = pd.DataFrame(
        [
            ("p", "task_shown", "main", 0, {"task": "trio_timer"}),
            ("p", "edit", "main", 10, {"task": "trio_timer", "kind": "typed", "changes": []}),
            ("p", "edit", "main", 20, {"task": "trio_timer", "kind": "typed", "changes": []}),
            ("p", "compose_start", "main", 30, {"task": "trio_timer"}),
            ("p", "edit", "main", 60, {"task": "trio_timer", "kind": "paste", "changes": []}),
            ("p", "run_ended", "main", 70, {"task": "trio_timer"}),
            ("p", "program_error", "main", 71, {"task": "trio_timer"}),
            ("p", "run_ended", "main", 110, {"task": "trio_timer"}),
            ("p", "task_submitted", "main", 120, {"task": "trio_timer"}),
        ],
        columns=["participant_id", "kind", "stage", "second", "payload"],
    )
    turns = pd.DataFrame(
        {
            "turn_id": ["t1", "t2"],
            "participant_id": "p",
            "task": "trio_timer",
            "assistant": "claude",
            "message": ["write the timer", "I get an error here, why?"],
            "asked_at": [at(40), at(80)],
            "total_seconds": [4.0, 8.0],
            "composing_seconds": [10.0, 5.0],
            "stopped_by_participant": ["0", "1"],
            "codes": ["generation", "debugging"],
            "reply_code_chars": [120, 80],
            "inserted_pasted_chars": [90, 0],
            "inserted_retyped_chars": [10, 0],
            "kept_chars": [60, 0],
        }
    )
    return {
        "participants": pd.DataFrame(
            {"participant_id": ["p", "q"], "arm": ["ai", "no_ai"], "task_minutes": [2.0, 3.0]}
        ),
        "events": events.assign(server_time=events["second"].map(at), payload=events["payload"].map(json.dumps)),
        "turns": turns,
    }


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """Twelve made-up people of both arms."""
    tmp_path = tmp_path_factory.mktemp("imported")
    people = []
    for pid in range(1, 11):
        kinds = [["code_generation"], ["question"], ["debugging"], ["code_generation", "question"]]
        queries = [asked(f"00:{3 * n + 1:02d}:00", kinds[(pid + n) % 4], f"message {n}") for n in range(1 + pid % 5)]
        middle = [seen("00:16:00", "paste")] * (pid % 3) + [seen("00:17:00", "error", description="TypeError")] * (
            pid % 2
        )
        end = [seen("00:18:00", "task_completion"), seen("00:19:00", "task_submission")]
        people.append(
            transcript(pid, events=[seen("00:00:05", "task_start"), *queries, *middle, *end], minutes=15 + pid)
        )
    people += [transcript(27, "No-AI"), transcript(28, "No-AI")]
    import_transcripts(write(tmp_path / "in", *people), tmp_path / "out")
    return load(tmp_path / "out").tables


@pytest.fixture(scope="module")
def by_people(imported):
    """The section with the codes of the annotators."""
    return styles_section(imported, Plan("human"))


def test_features_of_our_own_export():
    row = participant_features(own_export()).iloc[0]
    assert (row["generation"], row["debugging"], row["queries"], row["pastes"]) == (1, 1, 2, 1)
    assert (row["edits_before_first_query"], row["runs_between_query_and_submission"]) == (2, 1)
    assert (row["errors"], row["errors_with_help"], row["errors_alone"]) == (1, 1, 0)
    assert (row["waiting_minutes"], row["interaction_minutes"]) == (12 / 60, (15 + 12) / 60)


def test_who_never_asked_has_features_of_0():
    rows = participant_features(own_export()).set_index("participant_id")
    assert rows.loc["q", "queries"] == 0
    assert [found.participant_id for found in assign(own_export())] == ["p"]


def test_text_pasted_from_elsewhere_is_no_paste_of_the_assistants_code():
    tables = own_export()
    tables["turns"]["inserted_pasted_chars"] = 0
    assert participant_features(tables)["pastes"].tolist() == [0, 0]


def test_an_imported_timeline_counts_from_the_recordings_zero(imported):
    actions = timeline(imported)
    assert actions[actions["action"] == "start"]["seconds"].min() == 5
    assert (actions["action"] == "query").sum() == len(imported["turns"])
    assert all(isinstance(labels, tuple) for labels in actions["labels"])


def test_the_trajectory_counts_every_query_in_one_quarter():
    found = trajectory(timeline(own_export()))["measures"]
    assert [row["n"] for row in found["generation"]] == [0, 1, 1, 0]
    assert found["generation"][1]["share"] == 1
    assert found["delegation"][1]["share"] == 1
    assert found["verification"][1]["share"] == 1
    assert found["generation"][0]["share"] is None


def test_transitions_sum_to_the_steps_between_states():
    found = transitions(timeline(own_export()))
    assert found["transitions"] == 8
    place = found["states"].index
    assert found["counts"][place("ask: generation")][place("paste")] == 1
    assert found["shares"][place("run")][place("error")] == 0.5
    assert all(row is None or 0 <= row <= 1 for line in found["shares"] for row in line)


def test_turn_times_interruptions_and_what_became_of_replies():
    tables = own_export()
    found = turn_durations(tables, timeline(tables))
    assert (found["n"], found["quantiles"][0]["value"]) == (2, 6)
    assert found["quantiles"][3]["ci_high"] is None
    assert interruptions(tables)["share"] == 0.5
    used = reply_use(tables, timeline(tables))
    assert {name: used[name]["count"] for name in USES} == {"unchanged": 0, "edited": 1, "discarded": 1}
    assert {name: use["count"] for name, use in takeovers(timeline(tables)).items()} == {
        "pasted": 1,
        "typed_over": 0,
        "neither": 1,
    }


def replies(*rows):
    """Turns of two people, by turns: (code in the reply, pasted, retyped, kept)."""
    names = ["reply_code_chars", "inserted_pasted_chars", "inserted_retyped_chars", "kept_chars"]
    turns = pd.DataFrame(rows, columns=names)
    who = [f"p{place % 2}" for place in range(len(turns))]
    times = [at(60 + place) for place in range(len(turns))]
    turns = turns.assign(turn_id=[f"t{place}" for place in range(len(turns))], participant_id=who, asked_at=times)
    turns = turns.assign(task="main", assistant="claude", message="m", codes="", total_seconds=1.0)
    people = pd.DataFrame({"participant_id": ["p0", "p1"]})
    return {"participants": people, "turns": turns, "events": pd.DataFrame()}


def test_a_reply_counts_as_used_unchanged_edited_or_discarded_by_what_of_it_was_kept():
    tables = replies((100, 100, 0, 100), (100, 50, 50, 99), (100, 100, 0, 0), (100, 0, 0, 0), (100, 0, 40, 40))
    used = reply_use(tables, timeline(tables))
    assert {name: used[name]["count"] for name in USES} == {"unchanged": 2, "edited": 1, "discarded": 2}
    assert (used["with_code"], used["unchanged"]["share"]) == (5, 0.4)
    assert used["unchanged"]["ci_low"] <= 0.4 <= used["unchanged"]["ci_high"]
    assert used["by_participant"] == [
        {"participant_id": "p0", "n": 3, "unchanged": 2, "edited": 0, "discarded": 1},
        {"participant_id": "p1", "n": 2, "unchanged": 0, "edited": 1, "discarded": 1},
    ]
    assert sum(row["discarded"]["n"] for row in used["by_quarter"]) == 5


def test_a_reply_without_code_is_neither_used_nor_discarded_and_one_without_a_log_is_unknown():
    tables = replies((0, 0, 0, 0), (100, None, None, None), (0, 30, 0, 30))
    used = reply_use(tables, timeline(tables))
    assert (used["with_code"], used["without_code"], used["unknown"]) == (1, 1, 1)
    assert (used["unchanged"]["count"], used["unchanged"]["n"]) == (1, 1)


@pytest.mark.slow
def test_what_the_source_does_not_hold_is_a_note_not_a_number(by_people):
    assert by_people["turn_time"]["note"]
    assert by_people["reply_use"]["note"]
    assert by_people["groups"][0]["score"]["mean"] is None


@pytest.mark.slow
def test_the_section_is_json_and_the_same_every_time(imported, by_people):
    section = by_people
    assert json.loads(json.dumps(section, allow_nan=False)) == styles_section(imported, Plan("human"))
    assert sum(row["n"] for row in section["groups"]) == 10
    assert "not an effect of a pattern" in section["wording"]
    assert section["coding"]["rules"]["agreement"]["generation"]["n"] == len(imported["turns"])


def test_the_plan_says_whose_codes_feed_the_analysis(imported, by_people):
    rules = styles_section(imported, Plan("rules"))
    assert by_people["groups"] != rules["groups"]
    assert chosen_codes(imported, "claude")[1].startswith(f"{len(imported['turns'])} of")
    with pytest.raises(UserError, match=r"analysis\.coder"):
        styles_section(imported, Plan("dice"))


@pytest.mark.slow
def test_the_rules_code_no_query_in_a_language_that_they_do_not_read(imported):
    people = imported["participants"]
    asked = imported["turns"]["participant_id"].astype(str)
    german = asked.iloc[0]
    spoken = people.assign(language=["de" if str(who) == german else "en" for who in people["participant_id"]])
    tables = dict(imported) | {"participants": spoken}
    section, before = styles_section(tables, Plan("rules")), styles_section(imported, Plan("rules"))
    codes, note = chosen_codes(tables, "rules")
    unread = int((asked == german).sum())
    assert note.startswith(f"{unread} of {len(asked)} queries are in a language that the rules do not read")
    assert section["coder_note"] == note
    assert len(codes) == len(asked) - unread
    assert {row["participant_id"] for row in before["assignments"]} - {
        row["participant_id"] for row in section["assignments"]
    } == {german}
    assert section["coding"]["rules"]["agreement"]["generation"]["n"] == len(asked) - unread
    # People read every language.
    assert styles_section(tables, Plan("human"))["groups"] == styles_section(imported, Plan("human"))["groups"]
    all_german = dict(imported) | {"participants": people.assign(language="de")}
    assert "do not read" in styles_section(all_german, Plan("rules"))["note"]


def test_nobody_asking_is_a_note(imported):
    tables = {"participants": imported["participants"], "turns": imported["turns"][:0], "events": imported["events"]}
    assert "no participant" in styles_section(tables, Plan())["note"]


def test_annotating_fills_codes_counts_and_pattern():
    tables = annotate(own_export())
    person = tables["participants"].set_index("participant_id")
    assert list(tables["turns"]["codes"]) == ["generation", "debugging"]
    assert person.loc["p", "interaction_pattern"] == "Iterative AI Debugging"
    assert (person.loc["q", "queries_generation"], person.loc["q", "interaction_pattern"]) == (0, "none")


def test_what_was_done_in_the_warm_up_is_no_part_of_the_use():
    tables = own_export()
    warm = tables["events"].assign(stage="warmup", server_time=at(0), kind="edit")
    both = tables | {"events": pd.concat([warm, tables["events"]], ignore_index=True)}
    study = {"stages": [{"id": "warmup", "kind": "tasks", "main": False}, {"id": "main", "kind": "tasks"}]}
    assert participant_features(both)["edits_before_first_query"][0] > 2
    assert participant_features(main_tables(both, study)).equals(participant_features(tables))
    assert len(main_tables(both, {})["events"]) == len(both["events"])


def test_codes_and_patterns_that_are_not_those_of_the_export_are_counted_and_named():
    tables = annotate(own_export())
    codes = {"t1": ("generation",), "t2": ("debugging",)}
    assert differences(tables, codes, assign(tables)) == {"codes": 0, "patterns": []}
    other = with_codes(tables, {"t1": ("explanation",), "t2": ()})
    assert differences(tables, {"t1": ("explanation",)}, assign(other)) == {"codes": 2, "patterns": ["p"]}


def test_imported_transcripts_are_analysed_with_the_codes_of_their_annotators(tmp_path):
    import_transcripts(write(tmp_path / "in", transcript(1), transcript(27, "No-AI")), tmp_path / "out")
    assert plan_of(load(tmp_path / "out")).coder == "human"


def test_clear_clusters_are_found_and_stable_and_noise_is_not():
    generator = np.random.default_rng(1)
    centres = np.repeat([[0.0], [20.0]], 15, axis=0)
    table = pd.DataFrame(centres + generator.normal(size=(30, len(FEATURES))), columns=list(FEATURES))
    clear = clusters(table.assign(participant_id=[f"p{n}" for n in range(30)]), sizes=(2, 3))
    assert clear["chosen"] == 2
    assert clear["solutions"][0]["stability"] == pytest.approx(1)
    noise = pd.DataFrame(generator.normal(size=(30, len(FEATURES))), columns=list(FEATURES))
    found = clusters(noise.assign(participant_id=[f"p{n}" for n in range(30)]), sizes=(2, 3))
    assert max(solution["stability"] for solution in found["solutions"]) < 0.8


def test_too_few_or_equal_people_are_not_clustered():
    table = pd.DataFrame(np.ones((20, len(FEATURES))), columns=list(FEATURES)).assign(participant_id="p")
    assert clusters(table)["solutions"] == []
    assert clusters(table[:3])["note"]


def test_intervals_of_descriptions():
    # R: t.test(c(1, 2, 3, 4))$conf.int -> 0.4457397 4.5542603
    assert mean([1, 2, 3, 4, np.nan])["ci_low"] == pytest.approx(0.4457397, abs=1e-7)
    # R: prop.test(3, 10, correct = FALSE)$conf.int -> 0.1077913 0.6032219
    assert share(3, 10)["ci_high"] == pytest.approx(0.6032219, abs=1e-7)
    assert mean([5])["ci_low"] is None
    assert pooled_share([], [], seed=1)["share"] is None
    assert quantile(range(1, 101), 0.5)["ci_low"] == 40


@pytest.mark.parametrize(("hits", "share_found"), [([0, 0, 0, 0], 0.0), ([3, 9, 1, 2], 1.0)])
def test_a_share_of_none_or_all_has_an_interval_as_wide_as_its_people_are_few(hits, share_found):
    found = pooled_share(hits, [3, 9, 1, 2], seed=1)
    people = share(4 if share_found else 0, 4)
    assert (found["share"], found["n"], found["people"]) == (share_found, 15, 4)
    assert (found["ci_low"], found["ci_high"]) == (people["ci_low"], people["ci_high"])
    assert found["ci_high"] - found["ci_low"] > 0.4


def test_figures_are_drawn_for_52_people_and_say_who_is_who(imported):
    actions = timeline(imported)
    copies = [actions.assign(participant_id=actions["participant_id"] + suffix) for suffix in "abcde"]
    many = pd.concat(copies)
    patterns = {found.participant_id + suffix: found.pattern for found in assign(imported) for suffix in "abcde"}
    text = svg(swimlanes(many, patterns), "timelines")
    ElementTree.fromstring(text)
    assert all(f">{who}<" in text for who in many["participant_id"].unique())
    for figure in (trajectory_plot(trajectory(actions)), flow_plot(transitions(actions))):
        ElementTree.fromstring(svg(figure, "figure"))


def test_a_figure_of_nobody_is_empty_not_an_error(imported):
    empty = timeline(imported)[:0]
    for figure in (swimlanes(empty), trajectory_plot(trajectory(empty)), flow_plot(transitions(empty))):
        ElementTree.fromstring(svg(figure, "figure"))


def test_a_message_begins_with_its_first_key_wherever_the_log_has_the_event():
    tables = own_export()
    late = tables["events"].copy()
    late.loc[late["kind"] == "compose_start", "server_time"] = at(40)
    for events in (tables["events"], late):
        steps = timeline(tables | {"events": events})
        asked = steps[steps["action"].isin(["compose", "query"])]
        assert list(zip(asked["action"], asked["seconds"], strict=True)) == [
            ("compose", 30.0),
            ("query", 40.0),
            ("compose", 75.0),
            ("query", 80.0),
        ]
