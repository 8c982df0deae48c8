# Tries to overflow the stack of the interpreter.
import sys

sys.setrecursionlimit(10**9)


def f():
    return f()


f()
