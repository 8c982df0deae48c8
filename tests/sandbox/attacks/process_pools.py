# Tries to start worker processes by multiprocessing.
import multiprocessing

for method in ("fork", "spawn", "forkserver"):
    try:
        process = multiprocessing.get_context(method).Process(target=print, args=("hi",))
        process.start()
        print("ESCAPED", method)
    except OSError as error:
        print(error)
