"""`study code tones`: Claude says which tone stands out in messages and replies, beside rules and people."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from study_app.cli.codes.coding import Batch, Of, Study, code, opened
from study_app.cli.common import STUDY, AsJson, DatabaseOption, command, say_facts


@code.command()
@command
def tones(
    study: Study = STUDY,
    database: DatabaseOption = None,
    of: Of = "real",
    wait: Annotated[
        int, typer.Option("--wait", min=0, help="Seconds to wait for the batch.", envvar="STUDY_WAIT")
    ] = 3600,
    batch: Batch = "",
    as_json: AsJson = False,
) -> None:
    """Let Claude code the tone of messages and replies in a batch; each reply is kept as it came.

    Rules code by themselves in the report, and people on the console's board Coding. A batch that is still running
    after --wait seconds is remembered: call the command again to fetch it.

    Example: study code tones --wait 600
    """
    from study_app.assistant.coders.tones import ClaudeToneCoder
    from study_app.services.researcher.blind_codes.tone_batches import ToneBatches

    with opened(study, database) as running:
        coder = ClaudeToneCoder(running.settings.environment)
        found = ToneBatches(running.context).by_batch(coder, of, seconds=wait, pause=time.sleep, chosen=batch)
    say_facts(found, as_json)
