# Tries to find the app's modules, the solution or the checks from inside.
import gc, importlib, sys

for name in ("study_app", "study_app.services.grading.grading", "study_app.domain.checks", "tests", "conftest"):
    try:
        importlib.import_module(name)
        print("ESCAPED", name)
    except ImportError as error:
        print(error)
words = [
    value
    for value in gc.get_objects()
    if isinstance(value, dict) and any(key in value for key in ("expected", "solution", "CHECKS", "run_seed"))
]
print(
    "ESCAPED"
    if [
        value
        for value in words
        if value is not globals() and "solution" in value and isinstance(value["solution"], str)
    ]
    else "nothing"
)
