# Tries to find the app's secret in the inherited environment.
import os

found = [key for key in os.environ if key.startswith("STUDY") or TARGETS["secret"] in os.environ[key]]
if found or os.environb.get(b"STUDY_SECRET"):
    print("ESCAPED", found)
