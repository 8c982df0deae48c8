# Tries to use far more computing time than its limit by many native loops at once.
import hashlib, threading, time

block = bytes(1 << 20)


def burn():
    while True:
        hashlib.sha512(block).digest()
        if time.process_time() > 6:
            print("ESCAPED", time.process_time(), flush=True)
            return


for _ in range(30):
    try:
        threading.Thread(target=burn, daemon=True).start()
    except RuntimeError as error:
        print(error)
time.sleep(60)
