"""Which servers of a machine have ended."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

from study_app.bootstrap.this_replica import has_ended, this_replica


def test_a_server_has_ended_once_no_process_has_its_id():
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    server = replace(this_replica(), process=other.pid)
    assert not has_ended(server)
    other.communicate(b"\n")
    assert has_ended(server)


def test_the_process_itself_and_servers_of_other_machines_are_never_said_to_have_ended():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert not has_ended(this_replica())
    assert not has_ended(replace(this_replica(), process=ended.pid, machine="another machine"))


def test_two_starts_of_one_process_are_two_servers():
    assert this_replica().name != this_replica().name
