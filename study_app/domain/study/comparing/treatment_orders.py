"""Orders of treatments against the periods of a study: counterbalanced, or a treatment is confounded with tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from study_app.domain.allocation.options import options, order_of
from study_app.domain.study.study import Study

Finding = tuple[str, str, str]
"""Key, what is wrong, what to do."""


def order_problems(study: Study) -> Iterator[Finding]:
    """Orders that the periods do not carry, or that leave a treatment confounded with a period and its tasks."""
    if study.allocation.method != "sequence":
        return
    orders = [order_of(option.id) for option in options(study.allocation, study.arms)]
    periods = len(study.period_stages)
    wrong = [order for order in orders if len(order) != periods]
    if wrong:
        named = ", ".join(stage.id for stage in study.period_stages) or "none"
        what = (
            f"the order {'>'.join(wrong[0])} has {len(wrong[0])} treatment(s), and the study has {periods} period(s) "
            f"(each ends with one of the stages: {named})"
        )
        remedy = (
            "give each treatment a stage of tasks with assistant = true (or of instructions), or shorten the orders"
        )
        yield "allocation.orders", what, remedy
        return
    yield from _counterbalance(study, orders)


def _counterbalance(study: Study, orders: Sequence[tuple[str, ...]]) -> Iterator[Finding]:
    remedy = 'list orders in which each arm has each period equally often, or write "all", "williams" or "latin_square"'
    for arm in study.arms:
        counts = [sum(order[place] == arm.id for order in orders) for place in range(len(study.period_stages))]
        if not any(counts):
            yield (
                "allocation.orders",
                f"'{arm.id}' is in no order, so no participant has it",
                "add it, or remove the arm",
            )
        elif len(set(counts)) > 1:
            listed = ", ".join(f"{count} in period {place}" for place, count in enumerate(counts, start=1))
            what = (
                f"'{arm.id}' is not counterbalanced over periods and their tasks ({listed} of {len(orders)} orders), "
                "so its effect cannot be separated from theirs"
            )
            yield "allocation.orders", what, remedy
    if len(_connected(orders)) > 1:
        what = "no person has both of some treatments, so people cannot be compared with themselves"
        yield "allocation.orders", what, "list orders that hold different treatments, or allocate by another method"


def _connected(orders: Sequence[tuple[str, ...]]) -> list[set[str]]:
    """Return groups of treatments that some people have both of, directly or through others."""
    groups: list[set[str]] = []
    for order in orders:
        joined = set(order)
        joined = joined.union(*(group for group in groups if group & joined))
        groups = [group for group in groups if not group & joined] + [joined]
    return groups


def order_warnings(study: Study) -> Iterator[str]:
    """Yield what a researcher should know of a crossover whose periods are unlike each other."""
    stages = study.period_stages
    if study.allocation.method != "sequence" or len(stages) < 2:
        return
    packs = [stage.packs for stage in stages]
    again = [pack for pack, count in Counter(pack for each in packs for pack in each).items() if count > 1]
    if again:
        yield f"stages: everyone solves {', '.join(again)} in more than one period, so practice counts as period"
    if len(set(packs)) > 1:
        listed = "; ".join(f"{stage.id}: {', '.join(stage.packs)}" for stage in stages)
        yield (
            f"stages: periods have different tasks, the same for everyone ({listed}). The comparison is adjusted for "
            "period and task together; a treatment that helps with one task only cannot be separated from a carry-over"
        )
    limits = {stage.minutes for stage in stages}
    if len(limits) > 1:
        listed = ", ".join(f"{stage.id} {stage.minutes or 0:g}" for stage in stages)
        yield f"stages: periods have different limits ({listed} minutes), so their times have different caps"
