# Tries to crash the interpreter, to leave a core file or to confuse the parent.
import ctypes

ctypes.string_at(0)
