# Tries to put bytes where they outlive the run: tmpfs, shared memory, semaphores, queues, keys.
# Family: memory
import ctypes, os, platform

libc = ctypes.CDLL(None, use_errno=True)
libc.sem_open.restype = ctypes.c_void_p
if libc.shm_open(b"/evil", os.O_CREAT | os.O_RDWR, 0o600) >= 0:
    print("ESCAPED by shm_open")
if libc.sem_open(b"/evil", os.O_CREAT, 0o600, 1):
    print("ESCAPED by sem_open")
if libc.mq_open(b"/evil", os.O_CREAT | os.O_RDWR, 0o600, None) >= 0:
    print("ESCAPED by mq_open")
for where in ("/dev/shm", "/tmp", "/var/tmp", "/run", "/run/user/0", "/run/lock", "/dev/mqueue", "/dev/hugepages", "/sys/fs/bpf"):
    for flags in (os.O_CREAT | os.O_WRONLY, os.O_TMPFILE | os.O_RDWR):
        try:
            print("ESCAPED", os.open(where if flags & os.O_TMPFILE == os.O_TMPFILE else f"{where}/evil", flags, 0o600))
        except OSError:
            pass
add, key = {"x86_64": (248, 250), "aarch64": (217, 219)}[platform.machine()]
if libc.syscall(add, b"user", b"evil", b"x" * 1000, 1000, -5) >= 0 or libc.syscall(key, 0, -5, 1) >= 0:
    print("ESCAPED by a key ring")
