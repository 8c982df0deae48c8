# Tries to end by an exception whose message never ends.
class Endless(Exception):
    def __str__(self):
        return "x" * 10**7


raise Endless
