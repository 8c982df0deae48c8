# Tries to find by the garbage collector what belongs to the server: jobs, solutions, checks, keys, other runs.
# Family: garbage collector
import gc, sys, types

words = ("expected", "solution", "seal", "participant", "allocation", "database")
own = globals()
for thing in gc.get_objects():
    if isinstance(thing, dict) and thing is not own and thing is not TARGETS:
        names = [key for key in thing if isinstance(key, str) and key in words]
        if names and thing.get("__name__") is None and not any(isinstance(v, (types.FunctionType, type)) for v in thing.values()):
            print("ESCAPED", names)
    if isinstance(thing, types.ModuleType) and thing.__name__.startswith(("study_app.domain", "study_app.storage", "study_app.services", "sqlalchemy", "tasks")):
        print("ESCAPED", thing.__name__)
for name in sys.modules:
    if name.startswith(("study_app", "sqlalchemy", "streamlit")):
        print("ESCAPED", name)
