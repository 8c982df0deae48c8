"""What only Postgres asks for: servers that look at once, encodings, a database machine that vanishes."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from study_app.domain.errors import ProblemsFound
from study_app.storage import open_registry
from study_app.storage.engine import POSTGRES_CONNECTION, DatabaseEngine


def test_servers_that_look_at_the_same_moment_are_all_well(postgres_url_with_tables):
    servers = [open_registry(postgres_url_with_tables) for _ in range(2)]
    with ThreadPoolExecutor(len(servers)) as pool:
        for _ in range(40):
            for look in [pool.submit(server.probe) for server in servers]:
                look.result()
    for server in servers:
        server.close()


@pytest.mark.parametrize("encoding", ["SQL_ASCII", pytest.param("LATIN1", marks=pytest.mark.slow)])
def test_a_database_that_lacks_characters_is_refused_in_one_sentence(postgres_server, encoding):
    name = f"study_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
        )
    base, _, query = postgres_server.partition("?")
    with pytest.raises(ProblemsFound) as refused:
        open_registry(f"{base.rsplit('/', 1)[0]}/{name}?{query}")
    (problem,) = refused.value.problems
    assert encoding in problem.what
    assert "ENCODING 'UTF8'" in problem.remedy


def test_a_connection_gives_a_machine_that_vanished_up_unless_the_address_says_otherwise(postgres_url_with_tables):
    joint = "&" if "?" in postgres_url_with_tables else "?"
    for url, wait in ((postgres_url_with_tables, "10"), (f"{postgres_url_with_tables}{joint}connect_timeout=3", "3")):
        database = DatabaseEngine(url)
        raw = database.engine.raw_connection()
        used = raw.driver_connection.info.get_parameters()
        raw.close()
        database.close()
        assert {name: used.get(name) for name in POSTGRES_CONNECTION if name != "client_encoding"} == {
            "connect_timeout": wait,
            "keepalives_idle": "5",
            "keepalives_interval": "3",
            "keepalives_count": "4",
            "tcp_user_timeout": "15000",
        }
