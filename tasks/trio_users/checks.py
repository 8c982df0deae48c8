"""Checks of the user data: each hidden one puts users, delays and failures of its own in the place of the starter's."""

from study_app.domain.checks import Check, Same, call, uses

SAME = Same(lines=False)
NAMES = ["Ada", "Bela", "Chidi", "Dana", "Emre", "Fatou", "Goran", "Hana", "Ivo", "Jun", "Kaia", "Leif"]
PROBLEMS = ["timed out", "line broke", "no answer", "reset by peer"]

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
        answers[user_id] = (delay, rng.choice(NAMES), lost, problem)
    rng.shuffle(ids)
    return call("get_user_data", ids, prelude=SERVICE.format(answers=answers))


CHECKS = [
    Check("three users of the starter", call("get_user_data", [1, 2, 3]), visible=True, compare=SAME),
    Check("two users who exist", call("get_user_data", [3, 1]), visible=True, compare=SAME),
    Check("nobody", call("get_user_data", []), visible=True, compare=SAME),
    Check("a nursery is used", source=uses("open_nursery"), visible=True),
    Check("several users, all there", lambda rng: users(rng, rng.randint(3, 6)), compare=SAME),
    Check("some users are missing", lambda rng: users(rng, rng.randint(4, 7), missing=2), compare=SAME),
    Check("the line breaks for some", lambda rng: users(rng, rng.randint(4, 7), broken=2), compare=SAME),
    Check("missing and broken together", lambda rng: users(rng, 7, missing=2, broken=2), compare=SAME),
    Check("nothing but failures", lambda rng: users(rng, 4, missing=2, broken=2), compare=SAME),
    Check("many users take no longer than the slowest", lambda rng: users(rng, 25, missing=3), compare=SAME),
]
