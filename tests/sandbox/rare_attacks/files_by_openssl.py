# Tries to read and make files by OpenSSL, which opens them itself.
# Family: files
import os, ssl

context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
for name in ("database", "secrets", "submission"):
    for load in (lambda path: context.load_verify_locations(path), lambda path: context.load_cert_chain(path), lambda path: context.load_dh_params(path)):
        try:
            load(TARGETS[name])
            print("ESCAPED", name)
        except ssl.SSLError as error:
            if "NO_START_LINE" in str(error) or "PEM" in str(error) or "no start line" in str(error).lower() or "NO_CERTIFICATE" in str(error):
                print("ESCAPED: it was read:", name, error)
        except OSError:
            pass
for path in (TARGETS["folder"] + "/keys.log", "/tmp/keys.log", "/dev/shm/keys.log"):
    try:
        context.keylog_filename = path
        print("ESCAPED: made", path)
    except OSError:
        pass
