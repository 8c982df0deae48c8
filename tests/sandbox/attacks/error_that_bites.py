# Tries to end by an exception whose message and type raise exceptions themselves.
class Bite(BaseException):
    def __str__(self):
        raise SystemExit("ESC" + "APED")

    __repr__ = __str__


raise Bite
