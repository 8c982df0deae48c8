# Tries to give pages to a pipe and change them afterwards.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
class Piece(ctypes.Structure):
    _fields_ = [("at", ctypes.c_void_p), ("size", ctypes.c_size_t)]


block = ctypes.create_string_buffer(4096)
read, write = os.pipe()
piece = Piece(ctypes.addressof(block), 4096)
if libc.vmsplice(write, ctypes.byref(piece), 1, 8) > 0 or libc.tee(read, write, 4096, 2) > 0:
    print("ESCAPED")
