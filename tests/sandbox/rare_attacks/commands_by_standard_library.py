# Tries to start a command through parts of the standard library that start one for another purpose.
# Family: commands by libraries
import contextlib, os

tries = {}
def attempt(function):
    tries[function.__name__] = function
@attempt
def by_popen(): return os.popen("echo evil").read()
@attempt
def by_pager():
    import pydoc
    return pydoc.pipepager("evil", "cat >/dev/null; echo evil") == 0
@attempt
def by_terminal():
    import pty
    return pty.spawn(["/bin/true"]) == 0
@attempt
def by_browser():
    import webbrowser
    return webbrowser.BackgroundBrowser("/bin/true").open("x")
@attempt
def by_network_cards():
    import uuid
    return uuid._ifconfig_getter() or uuid._ip_getter()
@attempt
def by_compiler():
    import ctypes.util
    return ctypes.util._findLib_gcc("c") or ctypes.util._findSoname_ldconfig("c")
@attempt
def by_platform():
    import platform
    return platform._syscmd_file("/bin/true")
@attempt
def by_asyncio():
    import asyncio
    async def start():
        process = await asyncio.create_subprocess_exec("/bin/echo", "evil", stdout=-1)
        return await process.stdout.read()
    return asyncio.run(start())
@attempt
def by_pipes_of_trio():
    import trio
    return trio.run(trio.run_process, ["/bin/true"]).returncode == 0
for name, function in tries.items():
    with contextlib.suppress(BaseException):
        if function():
            os.write(1, f"ESCAPED {name}\n".encode())
