# Tries to outlive its limits with every signal ignored and blocked, and an alarm each millisecond.
import signal

for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
signal.pthread_sigmask(signal.SIG_BLOCK, set(range(1, 65)) - {signal.SIGALRM})
while True:
    pass
