"""Checks of the user data: each hidden one puts users, delays and failures of its own in the place of the starter's."""

from study_app.domain.checks import Check, Same, call, uses

SAME = Same(lines=False)
USERS = ["Ada", "Bela", "Chidi", "Dana", "Emre", "Fatou", "Goran", "Hana", "Ivo", "Jun", "Kaia", "Leif"]
PROBLEMS = ["timed out", "connection lost", "no answer", "reset by peer"]

SERVICE = '''
import trio as _trio

async def fetch_user(user_id, _answers={answers!r}):
    delay, name, missing, problem = _answers[user_id]
    await _trio.sleep(delay)
    if missing:
        raise UserNotFound(missing)
    if problem:
        raise ConnectionError(problem)
    return {{"id": user_id, "name": name}}
'''


def users(rng, count, missing=0, broken=0, slowest=1.5):
    """A call for COUNT users in random order, of whom some are missing and some cannot be reached."""
    ids = rng.sample(range(1, 1000), count)
    answers = {}
    for place, user_id in enumerate(ids):
        delay = round(rng.uniform(0.1, slowest), 2)
        lost = f"no user {user_id}" if place < missing else ""
        problem = rng.choice(PROBLEMS) if missing <= place < missing + broken else ""
        answers[user_id] = (delay, rng.choice(USERS), lost, problem)
    rng.shuffle(ids)
    return call("get_user_data", ids, prelude=SERVICE.format(answers=answers))


STARTER = {
    1: (0.2, "Ines", "", ""),
    2: (0.4, "", "no user 2", ""),
    3: (0.6, "Noor", "", ""),
    4: (0.8, "Tomasz", "", ""),
    5: (1.0, "", "", "connection lost"),
    6: (1.2, "Yuki", "", ""),
}
"""What the starter's `fetch_user` does: delay, name, message of UserNotFound, message of ConnectionError."""


def example(name, ids):
    """A call with the users of the starter, even where a participant has changed its `fetch_user`."""
    return Check(name, call("get_user_data", ids, prelude=SERVICE.format(answers=STARTER)), visible=True, compare=SAME)


def hidden(name, draw, varies, wrong):
    return Check(name, draw, compare=SAME, varies=varies, wrong=wrong)


THERE, NONE, TOGETHER = "two users who exist", "no users", "three users take no longer than the slowest"
MISSING, BROKEN, FAILURES = "a user is missing", "the connection is lost", "nothing but failures"

CHECKS = [
    example(THERE, [3, 1]),
    example(MISSING, [1, 2, 3]),
    example(BROKEN, [5, 6, 1]),
    example(FAILURES, [2, 5]),
    example(TOGETHER, [4, 1, 3]),
    example(NONE, []),
    Check("a nursery is used", source=uses("open_nursery"), visible=True),
    hidden("several users, all of them found", lambda rng: users(rng, rng.randint(3, 6)), THERE, "whole_user"),
    hidden("some users are missing", lambda rng: users(rng, rng.randint(4, 7), missing=2), MISSING, "only_connection"),
    hidden("the connection is lost for some", lambda rng: users(rng, rng.randint(4, 7), broken=2), BROKEN, "only_missing"),
    hidden("missing and lost together", lambda rng: users(rng, 7, missing=2, broken=2), BROKEN, "one_failure_stops_all"),
    hidden("every user fails", lambda rng: users(rng, 4, missing=2, broken=2), FAILURES, "leaves_failures_out"),
    hidden("many users take no longer than the slowest", lambda rng: users(rng, 25, missing=3), TOGETHER, "in_turn"),
]
