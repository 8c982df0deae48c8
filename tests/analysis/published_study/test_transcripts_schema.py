import json

import pytest
from support.analysis.transcript_maker import SHARED, asked, seen, transcript, write

from analysis.published_study import import_transcripts, read_transcripts
from study_app.domain.errors import ProblemsFound


def problems(folder):
    with pytest.raises(ProblemsFound) as caught:
        read_transcripts(folder)
    return [str(problem) for problem in caught.value.problems]


def test_transcripts_come_by_participant_number(tmp_path):
    folder = write(tmp_path, transcript(10), transcript(9), transcript(2))
    assert [each.pid for each in read_transcripts(folder)] == [2, 9, 10]


def test_every_wrong_file_is_named_at_once(tmp_path):
    write(tmp_path, transcript(1) | {"mood": "good"}, {**transcript(2), "pid": "two"}, transcript(3))
    (tmp_path / "p4.json").write_text("{", encoding="utf-8")
    (tmp_path / "p5.json").write_text("[]", encoding="utf-8")
    (tmp_path / "p6.json").write_bytes(b"\xff\xfe")
    found = problems(tmp_path)
    assert [line.split(":")[0] for line in found] == ["p1.json", "p4.json", "p5.json", "p6.json", "ptwo.json"]
    assert found[0] == (
        "p1.json: mood: is a field that the transcripts do not have; "
        "remove it, or correct its name to one that the transcripts have"
    )
    assert found[1].startswith("p4.json: line 1: is not JSON")


@pytest.mark.parametrize(
    ("event", "named"),
    [
        (seen("5:00", "task_start"), "timestamp"),
        (seen("00:61:00", "task_start"), "timestamp"),
        (seen("00:05:00", "sneeze"), "event_type"),
        (seen("00:05:00", "paste", "3"), "task_id"),
        (seen("00:05:00", "paste", codes=["glue"]), "'glue' is an unknown code"),
        (seen("00:05:00", "paste", query="why?"), "stands on a paste"),
        (seen("00:05:00", "ai_query", codes=["question"]), "is missing on an ai_query"),
        ({"timestamp": "00:05:00"}, "event_type: is missing"),
    ],
)
def test_a_wrong_observation_is_named_by_its_place(tmp_path, event, named):
    found = problems(write(tmp_path, transcript(events=[seen("00:00:01", "task_start"), event])))
    assert all(line.startswith("p1.json: main_task_observations.1") for line in found)
    assert any(named in line for line in found)


def test_one_participant_in_two_files_is_refused(tmp_path):
    write(tmp_path, transcript(1))
    (tmp_path / "p1b.json").write_text(json.dumps(transcript(1)), encoding="utf-8")
    assert problems(tmp_path) == ["p1b.json: pid: 1 is also in p1.json; keep one of the two"]


@pytest.mark.parametrize("make", [lambda path: path / "nowhere", lambda path: path])
def test_a_folder_without_files_is_refused(tmp_path, make):
    assert "holds no *.json file" in problems(make(tmp_path))[0]


def test_nothing_is_written_where_a_file_is_wrong(tmp_path):
    folder = write(tmp_path / "in", transcript(1), transcript(2) | {"extra": 1})
    with pytest.raises(ProblemsFound):
        import_transcripts(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_query_may_be_empty_text_and_any_unicode(tmp_path):
    events = [asked("00:01:00", ["question"], ""), asked("00:02:00", ["question"], "na\u00efve \U0001f600\r\n=1+1")]
    assert len(read_transcripts(write(tmp_path, transcript(events=events)))[0].main_task_observations) == 2


@pytest.mark.skipif(not SHARED.is_dir(), reason="the published transcripts are not at hand")
def test_every_published_file_is_read():
    read = read_transcripts(SHARED)
    assert len(read) == len(list(SHARED.glob("*.json")))
    assert {each.condition for each in read} == {"AI", "No-AI"}


def spoilt(text: str) -> dict[str, bytes]:
    """A transcript with a stretch of its text replaced."""
    old, new = text.split(" -> ")
    written = json.dumps(transcript(2, events=[seen("00:00:10", "task_start"), asked("00:01:00", ["question"])]))
    assert old in written
    return written.replace(old, new).encode()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "line 1"),
        (b"[" * 100_000, "nested too deeply"),
        (b"null", "not an object"),
        (json.dumps(transcript(2)).encode("utf-16"), "is UTF-16 text"),
        (spoilt('"pid": 2 -> "pid": 2, "pid": 3'), "pid: stands twice"),
        (spoilt('"pid": 2 -> "pid": -2'), "pid"),
        (spoilt('"pid": 2 -> "pid": true'), "pid"),
        (spoilt('"main_task_minutes": 20 -> "main_task_minutes": NaN'), "main_task_minutes"),
        (spoilt('"main_task_minutes": 20 -> "main_task_minutes": 1e30'), "main_task_minutes"),
        (spoilt('"task1_total_time": 10 -> "task1_total_time": -10'), "summary.task1_total_time"),
        (spoilt('"pid": 2 -> "pid": ' + "2" * 5000), "thousands of digits"),
        (spoilt("how does it work? -> \\ud800"), "half a character"),
        (spoilt("00:00:10 -> 00:00:10\\n"), "not a time HH:MM:SS"),
    ],
)
def test_whatever_a_file_holds_instead_is_one_clear_line(tmp_path, content, named):
    folder = write(tmp_path / "in", transcript(1))
    (folder / "p2.json").write_bytes(content)
    with pytest.raises(ProblemsFound) as caught:
        read_transcripts(folder)
    (problem,) = caught.value.problems
    assert problem.file == "p2.json"
    assert named in str(problem)


def test_a_file_that_cannot_be_opened_is_named(tmp_path):
    folder = write(tmp_path / "in", transcript(1))
    (folder / "p2.json").mkdir()
    (folder / "p3.json").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ProblemsFound) as caught:
        read_transcripts(folder)
    assert [problem.file for problem in caught.value.problems] == ["p2.json", "p3.json"]
