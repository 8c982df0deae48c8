# Tries to leave the reader of reports waiting: half a frame, a huge length, bytes one by one.
# Family: forged reports
import os, time

for piece in (b"\x01", b"\x01\xff", b"\x05\xff\xff\xff\xff", b"\x02" * 5, bytes(range(256))):
    os.write(3, piece)
    time.sleep(0.01)
while True:
    os.write(3, b"\x03")
    time.sleep(0.01)
