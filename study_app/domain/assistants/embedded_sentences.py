"""Sentences of the embedded assistant on a program and on its own steps: in English here, in other languages by texts.

The rest of what it says in other languages stands in the texts' table `embedded` alone.
"""

from __future__ import annotations

from study_app.domain.sentences import Sentences

TABLE = "embedded"

FAULTS = Sentences(
    f"{TABLE}.fault",
    {
        "never_awaited": "Line {line} calls the async function `{name}` without `await`.",
        "does_not_wait": "Line {line} calls `{name}` without `await`, so it does not wait at all.",
        "awaited_plain": "Line {line} puts `await` before `{name}`, which is an ordinary call.",
        "no_value": "Line {line} uses `{name}`, which has no value.",
        "no_value_near": "Line {line} uses `{name}`, which has no value. Did you mean `{near}`?",
        "no_value_import": "Line {line} uses `{name}`, which has no value. An `import` at the top of the file is "
        "missing.",
        "one_argument": "Line {line} gives `{name}` 1 argument; it takes {most}.",
        "arguments": "Line {line} gives `{name}` {given} arguments; it takes {most}.",
        "called_too_soon": "Line {line} calls the function inside `start_soon(...)`; hand it over without calling it.",
        "limit_inside": "Line {line} puts the time limit inside the nursery's block, where it bounds only the "
        "starting of the tasks and not the tasks.",
        "misspelt": "Line {line} says `{name}`; the name is `{near}`.",
        "must_be_async": "`{name}` (line {line}) has to be an `async def`.",
        "argument_unused": "`{name}` (line {line}) never uses its argument `{argument}`.",
        "wait_then_print": "In `{name}` the order is turned round: first wait, then print.",
        "print_then_wait": "In `{name}` the order is turned round: first print, then wait.",
        "from_zero": "Line {line} counts from 0 and stops one short: `range` with one number begins at 0.",
        "other_words": "Line {line} prints other words than the task asks for; compare it with the brief letter by "
        "letter.",
        "not_caught": "`{name}` (line {line}) does not catch {names}.",
        "and": "{first} and {second}",
        "not_called": "I see no `{called}` in `{name}` (line {line}), and the task needs one.",
        "returns_nothing": "`{name}` (line {line}) returns nothing, so its caller gets `None`.",
        "unreadable": "Line {line} cannot be read by Python: {message}.",
        "looked_for": "Line {line}, `{source}`.",
    },
    nested=("names", "second"),
)
"""What can be seen to be wrong in a program."""

AGENT = Sentences(
    f"{TABLE}.agent",
    {
        "all_well": "The program runs, and every visible example passes.",
        "reads": "{plan} First I read the program.",
        "runs": "I run it and see what comes out.",
        "which": "Shall I write all of it ({names}), or one of these functions only?",
        "plan_without_code": "I have no notes with code for this task, so I can only correct what is visibly wrong.",
        "plan_to_write": "My plan: write {names}, run the program, and repair what fails.",
        "plan_to_repair": "My plan: run the program, find what is wrong, and repair it.",
        "writes": "I write `{name}`.",
        "rewrites": "`{name}` does not do what the task asks; I rewrite it.",
        "puts_in_order": "The rest of the file cannot be read by Python; I put it in order.",
        "puts_back": "I put back what the program had at the start and has lost.",
        "takes_out": "I take out what keeps the rest of the program from running as it is written.",
        "returns": "The function computes its result and does not return it; I let it return it.",
        "anew": "I put the program together anew from my notes.",
        "changes_made": "{summary} Changes made: {n}.",
        "nothing_else": "I have nothing else to propose.",
        "nothing_to_correct": "My notes hold no code for this task, and I see nothing more that I could correct.",
        "done_what_is_known": "I have done what my notes know of; run the program to see whether it works.",
        "still_fails": "Something still fails, and my notes do not know what. The last run says:",
        "run_error": "The last run ended with `{error}`.",
        "run_failed_example": "The example `{name}` does not pass yet.",
    },
)
"""What the embedded assistant says where it acts."""
