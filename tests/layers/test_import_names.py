"""Names that users import go on working, wherever the code behind them moves."""

import importlib

import pytest

PUBLIC = {
    "analysis": "METHODS Estimate",
    "analysis.multiplicity": "adjust graphical",
    "analysis.monitoring": "boundaries",
    "analysis.power": "t_test_power sample_size anova_power proportion_power correlation_power paired_t_power",
    "analysis.psychometrics": "alpha omega item_statistics q3 rasch_cml",
    "analysis.agreement": "cohen_kappa fleiss_kappa krippendorff_alpha icc",
    "analysis.effects": "from_summary",
    "study_app.domain.checks": "Check Same call name uses",
}


@pytest.mark.parametrize("module", PUBLIC)
def test_a_public_name_can_be_imported(module):
    found = importlib.import_module(module)
    assert [name for name in PUBLIC[module].split() if not hasattr(found, name)] == []


def test_public_modules_are_attributes_of_the_package():
    analysis = importlib.import_module("analysis")
    for module in PUBLIC:
        if module.startswith("analysis."):
            assert getattr(analysis, module.partition(".")[2]) is importlib.import_module(module)
