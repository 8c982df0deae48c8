# Tries to nest selectors that wake each other.
import os
import select

made = []
try:
    for _ in range(300):
        made.append(select.epoll())
        if len(made) > 1:
            made[-1].register(made[-2].fileno(), select.EPOLLIN)
except OSError as error:
    print(error)
if len(made) > 64:
    print("ESCAPED", len(made))
