# Tries to hold the processor in one call that no signal of Python interrupts.
# Family: processor
import re, signal

signal.signal(signal.SIGXCPU, signal.SIG_IGN)
re.match(r"(a|aa)+$", "a" * 60 + "b")
10 ** 10**9
