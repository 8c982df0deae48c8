# Tries to end with an error whose class has no name, no message and no end of causes.
class Nameless(type):
    @property
    def __name__(cls):
        raise SystemError

    __qualname__ = __module__ = __name__


class Cause(Exception, metaclass=Nameless):
    def __str__(self):
        raise self


first, second = Cause(), Cause()
first.__context__, second.__context__ = second, first
first.__cause__ = second
group = ExceptionGroup("\ud800\u202e\x1b[2J", [first])
for _ in range(900):
    group = ExceptionGroup("x", [group])
raise group
