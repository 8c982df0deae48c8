# Tries to go on after its end by threads that neither end nor let the interpreter end.
# Family: threads that outlive
import _thread, os, threading, time


def go_on():
    while True:
        try:
            time.sleep(0.01)
            os.write(1, b".")
        except BaseException:
            pass


for _ in range(30):
    _thread.start_new_thread(go_on, ())
threading.Thread(target=go_on).start()
threading._shutdown = lambda: None
raise SystemExit(0)
