# Tries to keep a processor busy past its seconds by timers, threads and signals that renew themselves.
# Family: processor
import signal, threading

signal.signal(signal.SIGXCPU, signal.SIG_IGN)
signal.signal(signal.SIGALRM, lambda *_: None)
signal.signal(signal.SIGVTALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
signal.setitimer(signal.ITIMER_VIRTUAL, 0.0001, 0.0001)


def spin():
    while True:
        sum(range(1000))


for _ in range(20):
    threading.Thread(target=spin, daemon=True).start()
spin()
