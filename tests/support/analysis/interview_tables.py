"""Tables of a made-up dataset with 40 interviews that rules and people have coded."""

import numpy as np
import pandas as pd

from study_app.domain.themes.codebook import Code, Codebook

START = pd.Timestamp("2026-03-01T09:00:00Z")


def codebook(induced=False):
    codes = [Code(id=name, title=name.title(), definition=f"Speaks of {name}.") for name in ("hurry", "trust")]
    return Codebook(id="exit", induced=induced, codes=tuple(codes))


def interview_tables(
    *, n=40, gold=20, coded_by_people=None, program=True, late=0, uncoded_by_program=0, induced=False, quotes=False,
    audits=False, unread=False, seed=3,
):  # fmt: skip
    """Interviews i0..., of which the first `gold` are drawn; the last `late` were in no draw."""
    rng = np.random.default_rng(seed)
    book = codebook(induced)
    rows = [("codebook:" + book.version, "ann", book.canonical(), "codebook")]
    coded_by_people = gold if coded_by_people is None else coded_by_people
    names = [f"i{number}" for number in range(n)]
    arms = ["ai" if number % 2 else "no_ai" for number in range(n)]
    considered = n - late
    for number, (name, arm) in enumerate(zip(names, arms, strict=True)):
        true = {"hurry"} if rng.random() < 0.5 else set()
        true |= {"trust"} if number % 7 == 0 else set()
        found = {"hurry"} if rng.random() < (0.9 if "hurry" in true else 0.3 if arm == "ai" else 0.1) else set()
        found |= true & {"trust"}
        if induced:
            rows.append((f"interview:{name}", "sampler", "induce" if number % 4 > 1 else "code", "themes_half"))
        if gold and number < considered:
            draw = "drawn" if number < gold else "left"
            rows.append((f"interview:{name}", "sampler", f"{draw} {gold / considered!r}", "themes_gold"))
        if program and number >= uncoded_by_program + gold or program and number < gold:
            rows.append((f"interview:{name}#time", "rules", book.join(found), book.version))
        elif unread:
            rows.append((f"interview:{name}#time", "rules", "{}", "themes_reply"))
        if number < coded_by_people:
            for coder in ("ann", "ben"):
                rows.append((f"interview:{name}#time", coder, book.join(true), book.version))
    if quotes:
        rows += [
            ("interview:i1#time", "ann", "hurry: the clock ran […]", "themes_quote"),
            ("interview:i2#time", "ann", "hurry: no time", "themes_quote"),
            ("interview:i7#time", "ann", "trust: I checked", "themes_quote"),
            ("interview:i9#time", "ann", "hurry: taken back", "themes_quote"),
            ("interview:i9#time", "ann", "", "themes_quote"),
        ]
    if audits:
        judged = [("i0", "ann", 2), ("i0", "ann", 4), ("i0", "ben", 3), ("i1", "ben", 3)]
        rows += [(f"interview:{name}", who, str(value), "audit_openness") for name, who, value in judged]
    ratings = pd.DataFrame(rows, columns=["object", "rater", "value", "rubric"])
    ratings["rated_at"] = [START + pd.Timedelta(minutes=minute) for minute in range(len(ratings))]
    people = [f"p{number}" for number in range(n)]
    turns = {
        "interview_id": names,
        "participant_id": people,
        "topic": "time",
        "action": "core",
        "answer": "It was fine.",
    }
    return {
        "participants": pd.DataFrame({"participant_id": people, "arm": arms}),
        "interviews": pd.DataFrame({
            "interview_id": names, "participant_id": people, "language": "en", "plan": "exit", "ended_by": "completed",
            "shared": [number != 2 for number in range(n)],
        }),
        "interview_turns": pd.DataFrame(turns | {"question": "How was it?", "answer": "It was fine.", "words": 3.0}),
        "ratings": ratings,
    }  # fmt: skip
