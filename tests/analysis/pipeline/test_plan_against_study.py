"""Plans against the study that they belong to: caps, horizons, columns, outcomes known too early, designs, options."""

from __future__ import annotations

import pytest
from support.analysis.shipped_plan import SHIPPED, own, problems, study

from study_app.domain.errors import ProblemsFound
from study_app.domain.study.analysis_plan import Analysis, Plan
from study_app.domain.study.designs import design_problems, design_warnings, used_by

# -- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [2, 10, 35, 60])
def test_the_cap_is_the_limit_of_the_main_tasks(minutes):
    assert study(minutes=minutes).analysis.outcome("completion_minutes").cap == minutes
    assert problems(minutes=minutes) == []


def test_the_caps_of_several_task_stages_add_up():
    more = {"id": "second", "kind": "tasks", "minutes": 5, "packs": ["tasks/trio_users"], "assistant": True}
    raw = SHIPPED["stages"]
    made = study(stages=[*raw[:-1], more, raw[-1]], minutes=20)
    assert made.analysis.outcome("completion_minutes").cap == 25


def test_the_warm_up_is_no_part_of_the_cap():
    assert study(minutes=20).task_limit == 20
    counted = [stage | {"main": True} if stage["id"] == "warmup" else stage for stage in SHIPPED["stages"]]
    assert study(minutes=20, stages=counted).task_limit == 30


def test_a_cap_other_than_the_limit_is_refused():
    time = {"id": "completion_minutes", "kind": "time", "event": "completion_event", "cap": 35}
    plan = {"outcomes": [time], "primary": ["completion_minutes"], "estimands": []}
    assert problems(plan, minutes=35) == []
    (found,) = problems(plan, minutes=10)
    assert "analysis.outcomes.completion_minutes.cap: the cap is 35 minutes and the stages give 10" in found


def test_a_horizon_beyond_the_limit_is_refused_and_a_shorter_one_legal():
    (found,) = problems({"horizon": 36.0})
    assert "analysis.horizon: the horizon of 36 lies beyond the 35 minutes" in found
    assert problems({"horizon": 20.0}) == []


# -- columns ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "key", "suggestion"),
    [
        ({"covariates": [{"column": "years_pyton"}]}, "covariates.years_pyton", "years_python"),
        ({"subgroups": [{"column": "warmup_minuts"}]}, "subgroups.warmup_minuts", "warmup_minutes"),
        (own(column="quiz_pionts"), "outcomes.mine.column", "quiz_points"),
        (own(kind="bounded", column="learned", upper_column="quiz_maxx"), "outcomes.mine.upper_column", "quiz_max"),
        (
            own(kind="time", column="completion_minutes", event="completion_evnt"),
            "outcomes.mine.event",
            "completion_event",
        ),
    ],
)
def test_a_column_that_the_study_will_not_have_is_named_with_one_like_it(plan, key, suggestion):
    (found,) = problems(plan)
    assert f"analysis.{key}: the study will have no column" in found
    assert suggestion in found.split("near it")[1]


def test_the_plan_may_name_every_column_of_quizzes_questions_and_scores():
    plan = own(column="quiz_debugging_points") | {"covariates": [{"column": "async_check"}, {"column": "asyncio_use"}]}
    assert problems(plan) == []


def test_a_primary_outcome_that_the_study_does_not_measure_is_refused():
    without = [stage for stage in SHIPPED["stages"] if stage["kind"] != "quiz"]
    assert any(
        "outcomes.quiz_points.column: the study will have no column" in found for found in problems(stages=without)
    )


@pytest.mark.parametrize("column", ["warmup_minutes", "years_python", "async_check"])
def test_a_primary_outcome_known_before_allocation_is_refused(column):
    (found,) = problems(own(column=column))
    assert f"analysis.primary: 'mine' is known before allocation (column '{column}')" in found


@pytest.mark.parametrize(
    ("plan", "key"),
    [
        ({"covariates": [{"column": "learned"}]}, "covariates.learned"),
        ({"covariates": [{"column": "quiz_points"}]}, "covariates.quiz_points"),
        ({"covariates": [{"column": "status"}]}, "covariates.status"),
        ({"subgroups": [{"column": "queries"}]}, "subgroups.queries"),
        (
            {"analyses": [{"outcome": "quiz_points", "method": "interaction", "options": {"moderator": "learned"}}]},
            "analyses.quiz_points.interaction.options.moderator",
        ),
    ],
)
def test_a_covariate_that_an_arm_can_change_is_refused(plan, key):
    (found,) = problems(plan)
    assert f"analysis.{key}: " in found
    assert "is measured after allocation" in found


@pytest.mark.parametrize(("arms", "taken"), [(["ai"], False), (["no_ai"], False), (["ai", "no_ai"], True), ([], True)])
@pytest.mark.parametrize("of_stage", [True, False])
def test_an_outcome_that_one_arm_only_is_asked_for_is_refused(arms, taken, of_stage):
    question = {"id": "felt", "kind": "scale", "prompt": "?", "low": 0, "high": 7}
    question |= {} if of_stage else {"arms": arms}
    stage = {"id": "asked", "kind": "survey", "questions": [question]} | ({"arms": arms} if of_stage else {})
    found = problems(own(column="felt"), stages=[*SHIPPED["stages"][:-1], stage, SHIPPED["stages"][-1]])
    assert [f"analysis.outcomes.mine.column: 'felt' is asked in {', '.join(arms)} only" in text for text in found] == [
        True
    ] * (not taken)


def test_a_primary_outcome_asked_after_allocation_is_taken():
    assert problems(own(column="learned")) == []


# -- options ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "key", "what"),
    [
        ({"method": "lin", "options": {"vcovv": "HC2"}}, "quiz_points.lin.options.vcovv", "lin does not take it"),
        ({"method": "lin", "options": {"control": "ai"}}, "quiz_points.lin.options.control", "a control is not"),
        (
            {"method": "lin", "options": {"outcome": "errors"}},
            "quiz_points.lin.options.outcome",
            "lin is given its outcome",
        ),
        ({"method": "tost", "options": {"margin": "wide"}}, "quiz_points.tost.options.margin", "'wide' is not valid"),
        ({"method": "linn"}, "quiz_points.linn.method", "there is no method 'linn'"),
        ({"method": "tost"}, "quiz_points.tost.options.margin", "tost cannot do without it"),
        ({"method": "interaction"}, "quiz_points.interaction.options.moderator", "interaction cannot do without it"),
        ({"method": "paired_t"}, "quiz_points.paired_t.options.pair_id", "paired_t cannot do without it"),
        (
            {"method": "bayes_factor", "options": {"paired": True}},
            "quiz_points.bayes_factor.options.pair_id",
            "bayes_factor cannot do without it",
        ),
        (
            {"method": "kruskal", "contrast": ["ai", "no_ai"]},
            "quiz_points.kruskal.ai_vs_no_ai.contrast",
            "kruskal compares no two arms",
        ),
    ],
)
def test_an_option_that_a_method_does_not_take_is_named(row, key, what):
    (found,) = problems({"analyses": [{"outcome": "quiz_points"} | row]})
    assert f"analysis.analyses.{key}: {what}" in found


def test_the_standard_options_are_taken():
    rows = [
        {"outcome": "quiz_points", "method": "lin", "options": {"vcov": "HC2"}},
        {"outcome": "quiz_points", "method": "tost", "options": {"margin": 2.0}},
        {"outcome": "quiz_points", "method": "lee_bounds", "options": {"trim": "fractional"}},
        {"outcome": "completion_minutes", "method": "rmst", "options": {"time": "last_activity"}},
    ]
    assert problems({"analyses": rows}) == []


# -- rows that no data of the study can answer -----------------------------------------------------------------------

ROW = {"outcome": "quiz_points", "method": "welch_t"}
BY_CLASS = {"allocation": {"method": "cluster", "cluster": "label"}}
IN_ORDERS = {"allocation": {"method": "sequence", "orders": "all"}}
WITHOUT_TASKS = {"stages": [stage for stage in SHIPPED["stages"] if stage["kind"] != "tasks"]}
TIME = "completion_minutes"


@pytest.mark.parametrize(
    ("row", "changes", "key", "what"),
    [
        ({"adjusted": True}, {}, "adjusted", "welch_t does not adjust for covariates"),
        ({"method": "rmst_by_arm"}, {}, "method", "rmst_by_arm takes times, and 'quiz_points' is bounded"),
        ({"method": "cox"}, {}, "method", "cox takes times"),
        ({"method": "fisher", "outcome": TIME}, {}, "method", "fisher takes yes or no, and 'completion_minutes' is"),
        ({"method": "poisson"}, {}, "method", "poisson takes counts, and 'quiz_points' is bounded"),
        ({"method": "ordinal_logit", "outcome": TIME}, {}, "method", "ordinal_logit takes ordered levels"),
        ({"method": "bayes_factor"}, BY_CLASS, "method", "bayes_factor takes people as independent"),
        ({"method": "fractional_logit", "outcome": TIME}, {}, "method", "needs the highest possible value"),
        ({"method": "mixed_model"}, {}, "method", "mixed_model needs clusters"),
        ({"method": "crossover"}, {}, "method", "each participant has one treatment"),
        ({"method": "stratified_logrank", "outcome": TIME}, {}, "method", "the allocation has no strata"),
        ({"method": "mixed_logit"}, {}, "method", "mixed_logit compares answers item by item"),
        ({"method": "anova"}, BY_CLASS, "method", "anova takes people as independent"),
        (
            {"method": "welch_t", "outcome": TIME},
            IN_ORDERS,
            "method",
            "welch_t does not compare treatments within people",
        ),
        (
            {"method": "crossover", "outcome": "quiz_debugging_points"},
            IN_ORDERS,
            "outcome",
            "measured once for all periods",
        ),
        ({"method": "crossover", "outcome": TIME, "adjusted": True}, IN_ORDERS, "adjusted", "compared with themselves"),
        (
            {"method": "mixed_model", "outcome": TIME, "population": "per_protocol"},
            IN_ORDERS,
            "population",
            "over all periods of everyone, not per_protocol",
        ),
        (
            {"method": "rerandomization", "outcome": TIME, "options": {"statistic": "mean"}},
            IN_ORDERS,
            "options.statistic",
            "rerandomization within people does not take it",
        ),
        ({"population": "as_treated", "method": "rerandomization"}, {}, "population", "replays allocation"),
        ({"population": "per_protocol"}, WITHOUT_TASKS, "population", "what participants received will not be known"),
        ({"method": "wald_iv"}, WITHOUT_TASKS, "method", "what participants received will not be known"),
        ({"method": "spearman", "options": {"x": "warmup_minuts"}}, {}, "options.x", "no column 'warmup_minuts'"),
        ({"method": "interaction", "options": {"moderator": "yers"}}, {}, "options.moderator", "no column 'yers'"),
    ],
)
def test_a_row_that_the_study_cannot_answer_is_refused_by_its_key(row, changes, key, what):
    named = Analysis.model_validate(ROW | row).id
    (found,) = (text for text in problems({"analyses": [ROW | row]}, **changes) if "analyses" in text)
    assert f"analysis.analyses.{named}.{key}: " in found
    assert what in found


def test_a_yes_or_no_outcome_has_a_fractional_regression_and_no_beta_regression():
    plan = own(kind="binary", column="task_completed")
    rows = [{"outcome": "mine", "method": method} for method in ("fractional_logit", "beta_regression")]
    (found,) = problems(plan | {"analyses": rows})
    assert "analysis.analyses.mine.beta_regression.method: " in found
    assert "each of these is 0 or 1; use fractional_logit" in found


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("covariates", [{"column": "warmup_minutes"}]),
        ("subgroups", [{"column": "years_python", "label": "Years"}, {"column": "python_weekly", "label": "Weekly"}]),
        ("margins", [{"outcome": TIME, "margin": 2.0}]),
        ("fallback", {"max_leverage": 0.5}),
        ("horizon", 20.0),
        ("strata", True),
        ("strata", False),
    ],
)
def test_what_only_compares_people_with_each_other_is_refused_of_a_sequence_by_its_key(key, value):
    said = [text for text in problems({key: value}, **IN_ORDERS) if f"analysis.{key}: " in text]
    assert said
    assert "compared with themselves" in said[0]
    assert not [text for text in problems({key: value}) if "compared with themselves" in text]
    assert not [text for text in problems({}, **IN_ORDERS) if "compared with themselves" in text]


@pytest.mark.parametrize(
    ("row", "changes"),
    [
        ({"method": "lin", "adjusted": True}, {}),
        ({"method": "rmst_by_arm", "outcome": TIME}, {}),
        ({"method": "mixed_model"}, BY_CLASS),
        ({"method": "crossover", "outcome": TIME, "options": {"vcov": "CR2"}}, IN_ORDERS),
        ({"method": "fractional_logit", "adjusted": True}, {}),
        ({"method": "spearman", "options": {"x": "warmup_minutes"}}, {}),
        ({"method": "wald_iv"}, {}),
        ({"population": "per_protocol"}, {}),
    ],
)
def test_a_row_that_the_study_can_answer_is_taken(row, changes):
    assert [text for text in problems({"analyses": [ROW | row]}, **changes) if "analyses" in text] == []


# -- designs ---------------------------------------------------------------------------------------------------------


def test_sequences_are_taken_by_every_command():
    used = used_by(study(allocation={"method": "sequence", "orders": "all"}))
    for gate in ("check", "launch", "analyze", "power"):
        assert design_problems(used, gate, "study.toml") == []
    assert not any("sequence" in text for text in design_warnings(used))


@pytest.mark.parametrize("kind", ["obrien_fleming", "pocock", "spending"])
@pytest.mark.parametrize("gate", ["check", "launch", "analyze", "power"])
def test_planned_looks_are_taken_everywhere(kind, gate):
    made = study({"stopping": {"kind": kind, "looks": [0.5, 1.0]}})
    assert design_problems(used_by(made), gate, "study.toml") == []
    assert problems({"stopping": {"kind": kind, "looks": [0.5, 1.0]}}) == []


@pytest.mark.parametrize(
    ("stopping", "said"),
    [
        ({"kind": "pocock", "looks": [1.0]}, "at least two rising information fractions"),
        ({"kind": "pocock", "looks": [0.5, 0.4, 1.0]}, "at least two rising information fractions"),
        ({"kind": "pocock", "looks": [0.0, 1.0]}, "at least two rising information fractions"),
        ({"kind": "pocock", "looks": [0.5, 1.0], "futility": [0.5, 0.5]}, "one bound to each of the 1 looks"),
        ({"kind": "pocock", "looks": [0.5, 1.0], "futility": [-1.0]}, "from 0 to below 3"),
        ({"kind": "pocock", "looks": [0.5, 1.0], "binding": True}, "there are no futility bounds"),
        ({"kind": "pocock", "looks": [0.5, 1.0], "futility": [0.5], "binding": True}, "bind no single one"),
        ({"looks": [0.5, 1.0]}, "there are no looks; choose a kind"),
        ({"kind": "spending", "looks": [0.5, 1.0], "spending": "kim_demets", "gamma": 0.0}, "exponent above 0"),
        ({"kind": "spending", "looks": [0.5, 1.0], "spending": "hwang_shih_decani", "gamma": -41}, "from -40 to 40"),
    ],
)
def test_looks_that_make_no_sense_are_refused_with_what_to_do(stopping, said):
    with pytest.raises(ProblemsFound) as found:
        study({"stopping": stopping})
    assert said in str(found.value)


def test_a_binding_bound_of_several_comparisons_is_refused_though_they_are_of_one_outcome():
    arms = [*SHIPPED["arms"], SHIPPED["arms"][1] | {"id": "more"}]
    rule = {"kind": "pocock", "looks": [0.5, 1.0], "futility": [0.5], "binding": True}
    given = {"primary": ["quiz_points"], "stopping": rule}
    assert problems(given) == []
    (found,) = problems(given, arms=arms, allocation={"method": "permuted_blocks", "block_sizes": [3, 6]})
    assert "analysis.stopping.binding: bounds of 2 primary comparisons bind no single one" in found


def test_a_boundary_that_the_replicates_cannot_reach_is_refused():
    (found,) = problems({"stopping": {"kind": "spending", "looks": [0.2, 1.0]}})
    assert found.endswith("cannot reach the boundary of look 1 (p 4.7e-08); put it later"), "no plan may have as many"
    early = {"stopping": {"kind": "spending", "looks": [0.3, 1.0]}}
    (found,) = problems(early)
    assert "analysis.replicates: 9999 re-randomisations cannot reach the boundary of look 1" in found
    enough = int(found.rsplit("at least ")[1].split(",")[0])
    assert problems(early | {"replicates": enough}) == []
    assert "cannot reach" in problems(early | {"replicates": enough - 2})[0]


@pytest.mark.parametrize(
    "row",
    [
        {"method": "tost", "options": {"margin": 2.0}},
        {"method": "logrank", "outcome": "completion_minutes"},
        {"method": "rerandomization", "options": {"alternative": "greater"}},
    ],
)
def test_a_primary_row_without_a_signed_statistic_is_refused_where_looks_are_planned(row):
    given = {"analyses": [{"outcome": "quiz_points", "role": "primary"} | row]}
    assert problems(given) == []
    (found,) = problems(given | {"stopping": {"kind": "pocock", "looks": [0.5, 1.0]}})
    assert "has no signed two-sided statistic" in found


def test_the_published_plan_has_the_published_limit():
    assert Plan.default().outcome("completion_minutes").cap == 35


@pytest.mark.parametrize("column", ["queries", "interaction_minutes", "queries_explanation"])
def test_a_primary_outcome_that_one_arm_cannot_have_is_refused(column):
    measure = {"id": column, "kind": "continuous", "column": column}
    (found,) = problems({"outcomes": [measure], "primary": [column], "estimands": []})
    assert "analysis.primary" in found
    assert "measures the use of the assistant, which the arm 'no_ai' does not have" in found
