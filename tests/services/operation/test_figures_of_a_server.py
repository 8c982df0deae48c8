"""Figures of a server as Prometheus reads them: buckets that add up, labels that are written safely, fixed order."""

from __future__ import annotations

from study_app.services.operation.metrics import COUNTERS, HISTOGRAMS, SLOW, Family, Metrics, gauge, written


def family(metrics: Metrics, name: str) -> Family:
    (found,) = [each for each in metrics.families() if each.name == name]
    return found


def buckets(found: Family) -> dict[str, float]:
    return {dict(labels)["le"]: value for end, labels, value in found.samples if end == "_bucket"}


def test_a_measurement_counts_in_its_bucket_and_in_all_above_the_end_included():
    metrics = Metrics()
    for seconds in (0.2, 0.21, -5.0, 400.0):
        metrics.observe("study_run_seconds", seconds)
    found = family(metrics, "study_run_seconds")
    assert list(buckets(found)) == [*(f"{end:g}" for end in SLOW), "+Inf"]
    assert [buckets(found)[end] for end in ("0.05", "0.1", "0.2", "0.5", "300", "+Inf")] == [1, 1, 2, 3, 3, 4]
    rest = {end: value for end, labels, value in found.samples if end != "_bucket"}
    # What a clock makes negative counts as 0.
    assert rest == {"_sum": 0.2 + 0.21 + 400.0, "_count": 4}


def test_series_without_labels_are_there_from_the_start_and_those_of_requests_with_the_first():
    metrics = Metrics()
    assert [each.name for each in metrics.families()] == [*HISTOGRAMS, *COUNTERS]
    assert set(buckets(family(metrics, "study_chat_seconds")).values()) == {0}
    assert family(metrics, "study_request_seconds").samples == ()
    metrics.observe("study_request_seconds", 0.02, route="/room", method="GET")
    samples = family(metrics, "study_request_seconds").samples
    assert samples[0] == ("_bucket", (("method", "GET"), ("route", "/room"), ("le", "0.005")), 0)


def test_each_series_of_a_counter_counts_by_itself():
    metrics = Metrics()
    for status in ("2xx", "5xx", "2xx"):
        metrics.count("study_requests_total", status=status)
    metrics.count("study_errors_total", part="web")
    assert family(metrics, "study_requests_total").samples == (
        ("", (("status", "2xx"),), 2.0),
        ("", (("status", "5xx"),), 1.0),
    )
    assert family(metrics, "study_errors_total").samples == (("", (("part", "web"),), 1.0),)


def test_the_text_has_help_type_and_samples_with_escaped_labels():
    labelled = gauge("study_people", 'In a "stage"\nnow.', {(("stage", 'a"b\\c\nd'),): 3, (("stage", "e"),): 0.5})
    assert written([labelled, gauge("study_up", "Whether it is up.", 1), gauge("big", "Big.", 1e15)]) == (
        '# HELP study_people In a "stage"\\nnow.\n'
        "# TYPE study_people gauge\n"
        'study_people{stage="a\\"b\\\\c\\nd"} 3\n'
        'study_people{stage="e"} 0.5\n'
        "# HELP study_up Whether it is up.\n# TYPE study_up gauge\nstudy_up 1\n"
        "# HELP big Big.\n# TYPE big gauge\nbig 1000000000000000.0\n"
    )
