"""`study witness`: a second machine that collects heads and nothing else."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from study_app.cli.common import AsJson, app, command, complain, say, say_json
from study_app.domain.addresses import parts_of
from study_app.domain.errors import InfrastructureError, UserError

_SECONDS = 15.0


@app.command()
@command
def witness(
    url: Annotated[str, typer.Argument(help="Address of the participants' app, such as https://study.example.org.")],
    out: Annotated[Path, typer.Option("--out", help="File of anchors to append to.", envvar="STUDY_OUT")] = Path(
        "study.anchors"
    ),
    token: Annotated[
        str, typer.Option("--token", help="Value of STUDY_WITNESS_TOKEN on the server.", envvar="STUDY_WITNESS_TOKEN")
    ] = "",
    every: Annotated[int, typer.Option("--every", min=1, help="Seconds between requests.", envvar="STUDY_EVERY")] = 60,
    times: Annotated[
        int, typer.Option("--times", min=0, help="Number of requests; 0 for no limit.", envvar="STUDY_TIMES")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Collect anchors of a study that runs on another machine, and report any change of its history.

    Example: study witness https://study.example.org --token SECRET --out study.anchors
    """
    from study_app.storage.anchor_file import AnchorFile

    if parts_of(url).scheme not in ("http", "https"):
        raise UserError(f"{url}: is not an address; give https:// and the host of the participants' app")
    store = AnchorFile(out)
    kept = store.read()
    breaches: list[str] = []
    visits = 0
    while True:
        visits += 1
        found = _fetch(url, token)
        breaches += _behind(kept, found)
        if not kept or replace(found, at=kept[-1].at) != kept[-1]:
            store.append(found)
            kept.append(found)
        if breaches or visits == times:
            break
        time.sleep(every)
    if as_json:
        say_json({"file": str(out), "anchors": len(kept), "visits": visits, "breaches": breaches})
    else:
        complain(breaches)
        say(f"{out}: {len(kept)} anchors after {visits} visits; to check: study verify DATASET --anchor {out}")
    if breaches:
        raise typer.Exit(1)


def _fetch(url: str, token: str) -> Any:
    import httpx2

    from study_app.dataset.integrity.anchors import parse_line

    try:
        answer = httpx2.get(
            f"{url.rstrip('/')}/api/anchor", headers={"Authorization": f"Bearer {token}"}, timeout=_SECONDS
        )
    except httpx2.HTTPError as error:
        raise InfrastructureError(f"{url}: cannot be reached ({error}); check the address and the server") from None
    if answer.status_code != 200:
        remedy = "set STUDY_WITNESS_TOKEN on the server and give the same --token here"
        raise UserError(f"{url}: answers {answer.status_code} to a witness; {remedy}")
    try:
        return parse_line(answer.text)
    except ValueError as error:
        raise UserError(f"{url}: {error}; is this the participants' app of study-app?") from None


def _behind(kept: list[Any], now: Any) -> list[str]:
    """Return what tells that the server went back behind what it was seen with."""
    if not kept:
        return []
    before = kept[-1]
    if before.study_id != now.study_id:
        return [f"the server has the study '{now.study_id}', it had '{before.study_id}'"]
    found = []
    if now.heads != before.heads and now.heads in [anchor.heads for anchor in kept]:
        found.append("the chain of records is back at an earlier head: records were lost or removed")
    allocated, had = (0 if anchor.ledger is None else anchor.ledger.index for anchor in (now, before))
    if allocated < had:
        found.append(f"the ledger had {had} allocations, it has {allocated}")
    return found
