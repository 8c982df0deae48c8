"""From the sealed half to settled codes: what may be seen and done when, and what is on record afterwards."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO

import pytest
from support.trials.themes_trial import CODEBOOK, SAID, ThemesTrial

from study_app.domain.errors import AssistantUnavailable, NotAllowed, ProblemsFound
from study_app.domain.interaction.codes import ADJUDICATED
from study_app.domain.themes.answers import CodedReply
from study_app.domain.themes.codebook import Code, Codebook, read_codebook
from study_app.domain.themes.marks import AUDIT_CRITERIA, GOLD, REASON, REPLY, interview_object
from study_app.services.researcher.themes.board import InterviewBoard
from study_app.services.researcher.themes.codebooks import Codebooks
from study_app.services.researcher.themes.exchange import CodeExchange
from study_app.services.researcher.themes.gold import GoldSample
from study_app.services.researcher.themes.programs import ProgramCoding
from study_app.services.researcher.themes.quoting import Quotes, suggested_redaction

BOOK = read_codebook(CODEBOOK)
INDUCED = read_codebook(CODEBOOK.replace('title = "Talking', 'induced = true\ntitle = "Talking', 1))
KIND = "preview"
TWO = {"start": SAID["hurry"], "hard": SAID["trust"]}


@pytest.fixture
def trial(tmp_path):
    made = ThemesTrial(tmp_path)
    yield made
    made.close()


def ratings(trial, rubric=None):
    with trial.app.context.registry.begin(write=False) as unit:
        return [each for each in unit.ratings() if rubric in (None, each.rubric)]


def frozen(trial, book=BOOK):
    version = Codebooks(trial.app.context).freeze("ann", book, "two readers agreed")
    trial.clock.advance(minutes=1)
    return version


def test_half_of_the_interviews_is_sealed_for_the_codebook_and_never_coded(trial):
    ids = {trial.hold(TWO) for _ in range(5)}
    books = Codebooks(trial.app.context)
    half = {each.interview_id for each in books.sealed_half("ann", KIND)}
    assert len(half) == 2
    assert {each.interview_id for each in books.sealed_half("ann", KIND)} == half
    nothing = dict.fromkeys(("to_code", "by_rules", "by_claude", "gold", "gold_coded", "disagreements"), 0)
    assert GoldSample(trial.app.context).status(KIND).to_json() == {"interviews": 5, "codebook": ""} | nothing
    frozen(trial, INDUCED)
    late = trial.hold(TWO)
    assert {each.interview_id for each in books.sealed_half("ann", KIND)} == half
    ProgramCoding(trial.app.context).by_rules(KIND)
    coded = {each.object.split("#")[0] for each in ratings(trial, INDUCED.version)}
    assert coded == {interview_object(each) for each in (ids | {late}) - half}
    waiting = {each.interview_id for each in InterviewBoard(trial.app.context).waiting("ann", KIND)}
    assert waiting == (ids | {late}) - half


def test_a_freeze_is_on_record_with_its_hash_and_time_and_is_refused_where_it_says_something_untrue(trial):
    books = Codebooks(trial.app.context)
    with pytest.raises(NotAllowed, match="no half was sealed"):
        books.freeze("ann", INDUCED, "agreed")
    with pytest.raises(NotAllowed, match="give a reason"):
        books.freeze("ann", BOOK, " ")
    at = trial.clock.now()
    version = frozen(trial)
    with pytest.raises(NotAllowed, match="frozen already"):
        books.freeze("ann", BOOK, "again")
    with trial.app.context.registry.begin(write=False) as unit:
        (entry,) = unit.audit_of(("freeze codebook",))
    assert (entry.at, entry.who, entry.why) == (at, "ann", "two readers agreed")
    assert entry.detail["sha256"] == BOOK.sha256
    (stored,) = ratings(trial, "codebook")
    assert json.loads(stored.value)["codes"][0]["id"] == "hurry"
    assert (stored.object, stored.rated_at) == (f"codebook:{version}", at)
    for _ in range(2):
        trial.hold(TWO)
    with pytest.raises(NotAllowed, match="is frozen; all interviews are for coding"):
        books.sealed_half("ann", KIND)


def test_a_rehearsal_with_simulated_interviews_leaves_the_trial_s_own_codebook_as_it_is(trial):
    for _ in range(4):
        trial.hold(TWO, kind="simulated")
    books = Codebooks(trial.app.context)
    assert len(books.sealed_half("ann", "simulated")) == 2
    # Drawn up before the trial, from no interview of it.
    assert frozen(trial) == BOOK.version
    interview = trial.hold(TWO)
    assert ProgramCoding(trial.app.context).by_rules(KIND) == 2
    assert [each.interview_id for each in InterviewBoard(trial.app.context).waiting("ann", KIND)] == [interview]


SHOP = "my sister's shop in Ulm closed"


@pytest.mark.parametrize(
    "more", [{"definition": f"Says: {SHOP}"}, {"examples": (SHOP,)}, {"keywords": (SHOP.upper(),)}]
)
def test_a_codebook_that_repeats_what_a_participant_said_is_not_frozen(trial, more):
    trial.hold({"start": f"Well, {SHOP} that week, so I hurried."})
    code = Code(**{"id": "hurry", "title": "Time pressure", "definition": "Says that time was short."} | more)
    with pytest.raises(ProblemsFound) as refused:
        Codebooks(trial.app.context).freeze("ann", Codebook(id="talk", codes=(code,)), "agreed")
    (problem,) = refused.value.problems
    assert problem.key.startswith(f"codes.hurry.{next(iter(more))}")
    assert "'my sister s shop in ulm'" in problem.what
    assert ratings(trial, "codebook") == []


def test_an_open_half_makes_a_codebook_induced(trial):
    for _ in range(2):
        trial.hold(TWO)
    Codebooks(trial.app.context).sealed_half("ann", KIND)
    with pytest.raises(NotAllowed, match="set induced = true"):
        frozen(trial)


def test_nothing_is_coded_before_the_freeze(trial):
    interview = trial.hold(TWO)
    context = trial.app.context
    assert InterviewBoard(context).waiting("ann", KIND) == []
    for act in (
        lambda: ProgramCoding(context).by_rules(KIND),
        lambda: GoldSample(context).draw("ann", KIND, share=0.5, least=0),
        lambda: InterviewBoard(context).code("ann", interview, {"start": [], "hard": []}),
    ):
        with pytest.raises(NotAllowed, match="no codebook is frozen"):
            act()


def test_rules_code_each_topic_once_and_only_interviews_that_have_ended(trial):
    interview = trial.hold(TWO)
    trial.hold({"start": SAID["hurry"]}, over=False)
    trial.hold({})
    frozen(trial)
    programs = ProgramCoding(trial.app.context)
    assert programs.by_rules(KIND) == 2
    assert programs.by_rules(KIND) == 0
    values = {each.object: each.value for each in ratings(trial, BOOK.version)}
    assert values == {f"interview:{interview}#start": "hurry", f"interview:{interview}#hard": "trust"}


def test_the_gold_sample_comes_first_and_states_its_probability(trial):
    ids = {trial.hold(TWO) for _ in range(6)}
    frozen(trial)
    gold = GoldSample(trial.app.context)
    assert gold.draw("ann", KIND, share=0.3, least=0).drawn == 2
    with pytest.raises(NotAllowed, match="in a draw already"):
        gold.draw("ann", KIND, share=0.3, least=0)
    marks = {each.object.removeprefix("interview:"): each.value for each in ratings(trial, GOLD)}
    assert set(marks) == ids
    drawn = {each for each, value in marks.items() if value == f"drawn {1 / 3!r}"}
    assert len(drawn) == 2
    board = InterviewBoard(trial.app.context)
    for coder in ("ann", "ben"):
        assert {each.interview_id for each in board.waiting(coder, KIND)[:2]} == drawn
    later = trial.hold(TWO)
    assert gold.draw("ann", KIND, share=0.1, least=0).considered == 1
    assert {each.object: each.value for each in ratings(trial, GOLD)}[f"interview:{later}"] == "drawn 1.0"


def test_people_code_whole_interviews_blind_twice_and_differences_are_settled_with_a_reason(trial):
    interview = trial.hold(TWO)
    frozen(trial)
    context, board = trial.app.context, InterviewBoard(trial.app.context)
    ProgramCoding(context).by_rules(KIND)
    (seen,) = board.waiting("ann", KIND)
    assert set(vars(seen)) == {"interview_id", "language", "passages"}
    with pytest.raises(NotAllowed, match="the topic 'hard' has no codes"):
        board.code("ann", interview, {"start": ["hurry"]})
    with pytest.raises(NotAllowed, match="'trust' is not a code of the topic 'start'"):
        board.code("ann", interview, {"start": ["trust"], "hard": []})
    with pytest.raises(NotAllowed, match="no coder named 'rules'"):
        board.code("rules", interview, {"start": [], "hard": []})
    board.code("ann", interview, {"start": ["hurry"], "hard": ["trust"]})
    assert board.waiting("ann", KIND) == []
    assert board.disagreements("ann", KIND) == []
    board.code("ben", interview, {"start": ["hurry"], "hard": []})
    assert board.waiting("cy", KIND) == []
    for viewer in ("ann", "ben", "cy"):
        (open_one,) = board.disagreements(viewer, KIND)
        assert open_one.topic == "hard"
        assert sorted(map(sorted, open_one.codings)) == [[], ["trust"]]
    assert GoldSample(context).status(KIND).disagreements == 1
    board.look("ben", (interview, "hard"))
    with pytest.raises(NotAllowed, match="'ben' has seen what others gave"):
        board.code("ben", interview, {"start": ["hurry"], "hard": ["trust"]})
    trial.clock.advance(minutes=1)
    with pytest.raises(NotAllowed, match="give a reason"):
        board.settle("cy", (interview, "hard"), ["trust"], "")
    board.settle("cy", (interview, "hard"), ["trust"], "says so twice")
    with pytest.raises(NotAllowed, match="nothing to settle"):
        board.settle("cy", (interview, "hard"), [], "or not")
    with pytest.raises(NotAllowed, match="'hard' of interview .* are settled"):
        board.code("ann", interview, {"start": ["hurry"], "hard": []})
    final = [each for each in ratings(trial, BOOK.version) if each.rater == ADJUDICATED]
    assert [(each.object, each.value) for each in final] == [(f"interview:{interview}#hard", "trust")]
    with context.registry.begin(write=False) as unit:
        (entry,) = unit.audit_of(("adjudicate",))
    # The reason may repeat what was said: it stands in a rating, which an erasure reaches, and the log names it.
    (reason,) = ratings(trial, REASON)
    assert (entry.who, entry.why, reason.value) == ("cy", "", "says so twice")
    assert entry.detail["reason"] == reason.rating_id


class Replies:
    """A coder whose batch ends at the second question."""

    def __init__(self, *codes):
        self.codes, self.asked, self.looks = list(codes), [], 0

    def submit(self, book, asked):
        self.asked.append(asked)
        return f"batch{len(self.asked)}"

    def ended(self, batch):
        self.looks += 1
        return self.looks > 1

    def replies(self, batch, book):
        for each, codes in zip(self.asked[0], self.codes, strict=True):
            yield CodedReply(each.custom_id, codes, {"batch": batch, "message": {"id": f"msg_{each.topic}"}})


def test_a_batch_is_remembered_fetched_later_and_each_reply_is_kept(trial):
    trial.hold(TWO)
    frozen(trial)
    programs, coder = ProgramCoding(trial.app.context), Replies(("hurry",), None)
    first = programs.by_batch(coder, KIND, seconds=0, pause=lambda _: None)
    assert (first["state"], len(coder.asked), ratings(trial, REPLY)) == ("running", 1, [])
    again = ProgramCoding(trial.app.context).by_batch(coder, KIND, seconds=60, pause=lambda _: None)
    assert again == {"batch": "batch1", "state": "done", "coded": 1, "unreadable": 1, "left": 1}
    assert len(coder.asked) == 1
    assert [json.loads(each.value)["batch"] for each in ratings(trial, REPLY)] == ["batch1", "batch1"]
    assert [each.value for each in ratings(trial, BOOK.version)] == ["hurry"]
    assert all(len(each.custom_id) <= 64 and each.custom_id.isalnum() for each in coder.asked[0])


def test_a_provider_that_fails_leaves_the_batch_to_be_fetched(trial):
    trial.hold(TWO)
    frozen(trial)

    class Failing(Replies):
        def ended(self, batch):
            raise AssistantUnavailable("other", "out of reach")

    failing = Failing(("hurry",), ())
    with pytest.raises(AssistantUnavailable):
        ProgramCoding(trial.app.context).by_batch(failing, KIND, seconds=60, pause=lambda _: None)
    healthy = Replies(("hurry",), ())
    healthy.asked = failing.asked
    done = ProgramCoding(trial.app.context).by_batch(healthy, KIND, seconds=60, pause=lambda _: None)
    assert (done["coded"], len(healthy.asked)) == (2, 1)


def test_codes_are_not_kept_under_the_name_of_a_codebook_that_was_frozen_while_the_batch_ran(trial):
    trial.hold(TWO)
    frozen(trial)
    later = read_codebook(CODEBOOK.replace('id = "talk"', 'id = "talk2"', 1))

    class Slow(Replies):
        def ended(self, batch):
            if not self.looks:
                frozen(trial, later)
            return super().ended(batch)

    slow = Slow(("hurry",), ())
    with pytest.raises(NotAllowed, match="was frozen while"):
        ProgramCoding(trial.app.context).by_batch(slow, KIND, seconds=60, pause=lambda _: None)
    assert ratings(trial, later.version) == []
    # The next call asks anew, by the codebook that is in force.
    anew = Replies(("hurry",), ())
    anew.looks = 1
    assert ProgramCoding(trial.app.context).by_batch(anew, KIND, seconds=60, pause=lambda _: None)["coded"] == 2


def test_codes_go_out_and_come_back_and_names_of_programs_do_not(trial, tmp_path):
    interview = trial.hold(TWO)
    frozen(trial)
    context, board = trial.app.context, InterviewBoard(trial.app.context)
    ProgramCoding(context).by_rules(KIND)
    board.code("ann", interview, {"start": ["hurry"], "hard": ["trust"]})
    out = tmp_path / "codes.qdpx"
    content, held = CodeExchange(context).packed("ann", KIND)
    out.write_bytes(content)
    assert held == {"interviews": 1, "codings": 4}
    before = ratings(trial, BOOK.version)
    assert CodeExchange(context).read("ann", KIND, out)["codings"] == 0
    assert ratings(trial, BOOK.version) == before
    out.write_bytes(b"not a project")
    with pytest.raises(ProblemsFound, match=r"codes\.qdpx"):
        CodeExchange(context).read("ann", KIND, out)


def test_two_people_code_the_gold_sample_in_another_program_blind_and_whole(trial, tmp_path):
    context, exchange = trial.app.context, CodeExchange(trial.app.context)
    for _ in range(4):
        trial.hold(TWO)
    frozen(trial)
    ProgramCoding(context).by_rules(KIND)
    with pytest.raises(NotAllowed, match="no sample is drawn for people yet"):
        exchange.packed("ann", KIND, blank=True)
    assert GoldSample(context).draw("ann", KIND, share=0.5, least=0).drawn == 2
    content, held = exchange.packed("ann", KIND, blank=True)
    assert held == {"interviews": 2, "codings": 0}
    unpacked = zipfile.ZipFile(BytesIO(content)).read("project.qde").decode()
    assert "rules" not in unpacked
    assert "PlainTextSelection" not in unpacked
    for name in ("ann", "ben"):
        file = tmp_path / f"{name}.qdpx"
        with zipfile.ZipFile(BytesIO(content)) as blank, zipfile.ZipFile(file, "w") as coded:
            for entry in blank.namelist():
                user = f'<Users><User guid="{name.upper()}" name="{name}" /></Users><CodeBook>'.encode()
                coded.writestr(entry, blank.read(entry).replace(b"<CodeBook>", user))
        assert exchange.read("cli", KIND, file)["codings"] == 0
        # Neither found a code: read, and none.
        found = exchange.read("cli", KIND, file, complete=True)
        assert found == {"file": str(file), "codings": 4, "coders": [name], "passed_over": 0}
    status = GoldSample(context).status(KIND)
    assert (status.gold, status.gold_coded, status.disagreements) == (2, 2, 0)


def test_words_are_quoted_only_of_themes_of_ten_people_with_consent_and_as_they_were_said(trial):
    said = "I was in a hurry, and Maria Lopez wrote to me at maria@lab.example about it."
    ids = [trial.hold({"start": said}, share="no" if number == 0 else "yes") for number in range(9)]
    frozen(trial)
    programs, quotes = ProgramCoding(trial.app.context), Quotes(trial.app.context)
    programs.by_rules(KIND)
    assert quotes.candidates("hurry", KIND) == []
    ids.append(trial.hold({"start": said}))
    programs.by_rules(KIND)
    found = quotes.candidates("hurry", KIND)
    assert {each.interview_id for each in found} == set(ids[1:])
    assert found[0].suggested == "I was in a hurry, and […] wrote to me at […] about it."
    with pytest.raises(NotAllowed, match="'It was great' is not what was said"):
        quotes.release("ann", found[0], "It was great […]")
    quotes.release("ann", found[0], "I was in a  hurry, […]")
    assert [each.value for each in ratings(trial, "themes_quote")] == ["hurry: I was in a hurry, […]"]
    assert found[0].interview_id not in {each.interview_id for each in quotes.candidates("hurry", KIND)}
    quotes.release("ann", found[0], "")
    assert found[0].interview_id in {each.interview_id for each in quotes.candidates("hurry", KIND)}


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("Call +49 170 1234567 now", "Call […] now"),
        ("see www.example.org/me there", "see […] there"),
        ("Then Peter helped. Others did not.", "Then […] helped. Others did not."),
        ("plain words", "plain words"),
    ],
)
def test_what_looks_like_an_identifier_is_suggested_for_removal(text, due):
    assert suggested_redaction(text) == due


def test_people_judge_how_drawn_interviews_were_held(trial):
    interview = trial.hold(TWO)
    frozen(trial)
    context, board = trial.app.context, InterviewBoard(trial.app.context)
    assert board.to_audit("ann", KIND) == []
    GoldSample(context).draw("ann", KIND, share=1, least=0)
    assert [each.interview_id for each in board.to_audit("ann", KIND)] == [interview]

    with pytest.raises(NotAllowed, match="from 1 to 5"):
        board.audit("ann", interview, dict.fromkeys(AUDIT_CRITERIA, 6))
    board.audit("ann", interview, dict.fromkeys(AUDIT_CRITERIA, 4))
    assert board.to_audit("ann", KIND) == []
    assert [each.value for each in ratings(trial, "audit_openness")] == ["4"]
