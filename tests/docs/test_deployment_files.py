"""The files under deploy/ are taken by the programs they are for, and carry participants to a real server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import httpx
import pytest
import yaml
from support.server import StudyServer, free_port

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
STUDY = Path(sys.executable).with_name("study")
NGINX = sorted((DEPLOY / "nginx").glob("study*.conf"))
UNITS = sorted(path for path in (DEPLOY / "systemd").iterdir())
CADDYFILES = sorted((DEPLOY / "caddy").iterdir())


def needed(program: str) -> str:
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{program} is not installed here (on Debian: apt-get install {program})")
    return found


# -- systemd


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_takes_the_unit(unit, tmp_path):
    program = needed("systemd-analyze")
    text = unit.read_text()
    programs = (("/srv/study/study-app/.venv/bin", STUDY.parent), ("/srv/study/study-app", ROOT))
    for named, here in programs:
        text = text.replace(named, str(here))
    text = text.replace("User=study", "User=root").replace("Group=study", "Group=root")
    for other in UNITS:
        (tmp_path / other.name).write_text(other.read_text())
    (tmp_path / unit.name).write_text(text)
    name = unit.name.replace("@.", "@8511.")
    done = subprocess.run(
        [program, "verify", "--man=no", str(tmp_path / name)], capture_output=True, text=True,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )  # fmt: skip
    mine = [line for line in done.stderr.splitlines() if unit.name.split("@")[0].split(".")[0] in line]
    assert not mine, done.stderr


def test_every_variable_of_the_environment_file_is_one_that_is_read():
    names = re.findall(r"^#? ?([A-Z_]+)=", (DEPLOY / "study.env").read_text(), re.M)
    read = "\n".join(path.read_text() for path in (ROOT / "study_app").rglob("*.py"))
    assert names
    assert [name for name in names if f'"{name}"' not in read] == []


# -- nginx


def certificate(folder: Path) -> tuple[Path, Path]:
    key, chain = folder / "privkey.pem", folder / "fullchain.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-keyout", key, "-out", chain], check=True, capture_output=True)
    return key, chain


def rendered(conf: Path, folder: Path, servers: tuple[str, ...], port: int) -> Path:
    """The file as it is but for what belongs to the machine: ports, certificate, addresses of the servers."""
    key, chain = certificate(folder)
    text = conf.read_text()
    text = re.sub(r"/etc/\S+/privkey.pem", str(key), text)
    text = re.sub(r"/etc/\S+/fullchain.pem", str(chain), text)
    text = text.replace("/etc/nginx/study-proxy.conf", str(DEPLOY / "nginx" / "proxy.conf"))
    text = re.sub(r"listen \[::\]:\S+( ssl)?;\n", "", text)
    text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    text = text.replace("listen 80", f"listen 127.0.0.1:{free_port()}")
    for old, new in zip(("127.0.0.1:8501", "127.0.0.1:8511"), servers, strict=False):
        text = text.replace(old, new)
    text = text.replace("server1:8501", servers[0]).replace("server2:8501", servers[-1])
    whole = folder / "nginx.conf"
    whole.write_text(
        f"pid {folder}/nginx.pid;\nerror_log {folder}/error.log;\nevents {{}}\nhttp {{\naccess_log off;\n"
        + "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
        + f"client_body_temp_path {folder}/body;\n{text}\n}}\n"
    )
    return whole


@pytest.mark.parametrize("conf", [*NGINX, DEPLOY / "container" / "nginx.conf"], ids=lambda path: path.name)
def test_nginx_takes_the_file(conf, tmp_path):
    whole = rendered(conf, tmp_path, ("127.0.0.1:8501", "127.0.0.1:8511"), free_port())
    done = subprocess.run([needed("nginx"), "-t", "-c", whole], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr.replace('the "user" directive', "")


class Proxy:
    """A proxy in the foreground, ended by its process id."""

    def __init__(self, port: int, *command: object, **environment: object) -> None:
        self.url = f"https://localhost:{port}"
        self.process = subprocess.Popen(
            [str(part) for part in command], env=os.environ | {name: str(value) for name, value in environment.items()}
        )

    def __enter__(self) -> Proxy:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                httpx.get(self.url + "/healthz", verify=False, timeout=30)
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                return self
        self.__exit__()
        raise AssertionError("the proxy did not start")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(30)


def nginx(name: str, folder: Path, servers: tuple[str, ...]) -> Proxy:
    port = free_port()
    whole = rendered(DEPLOY / "nginx" / f"{name}.conf", folder, servers, port)
    return Proxy(port, needed("nginx"), "-c", whole, "-g", "daemon off;")


def caddy(name: str, folder: Path, servers: tuple[str, ...]) -> Proxy:
    """Caddy with the file as it is but for the ports, and a certificate from an authority that it makes itself."""
    port, file = free_port(), folder / "Caddyfile"
    text = (DEPLOY / "caddy" / name).read_text()
    text = text.replace("\nstudy.example.org {\n", f"\nlocalhost:{port} {{\n\ttls internal\n")
    for old, new in zip(("127.0.0.1:8501", "127.0.0.1:8511"), servers, strict=False):
        text = text.replace(old, new)
    file.write_text(f"{{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n}}\n{text}")
    command = (needed("caddy"), "run", "--adapter", "caddyfile", "--config", file)
    return Proxy(port, *command, HOME=folder, XDG_DATA_HOME=folder, XDG_CONFIG_HOME=folder)


OF_ONE_SERVER = [pytest.param(nginx, "study", id="nginx"), pytest.param(caddy, "Caddyfile", id="caddy")]
OF_SEVERAL = [
    pytest.param(nginx, "study-replicas", id="nginx"),
    pytest.param(caddy, "Caddyfile.replicas", id="caddy"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("proxy_of", "name"), OF_ONE_SERVER)
def test_people_come_through_the_proxy_with_tls_and_the_metrics_are_closed(proxy_of, name, tmp_path):
    server = StudyServer(tmp_path).start()
    try:
        with (
            proxy_of(name, tmp_path, (f"127.0.0.1:{server.port}",)) as proxy,
            httpx.Client(base_url=proxy.url, verify=False, timeout=60) as client,
        ):
            first = client.get("/")
            assert first.status_code == 200
            assert first.headers["strict-transport-security"] == "max-age=31536000"
            forged = {"Origin": proxy.url, "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "evil.example"}
            entered = client.post("/enter", headers=forged)
            assert entered.status_code == 303, entered.text
            assert "secure" in entered.headers["set-cookie"].lower()
            assert client.post("/enter", headers={"Origin": "https://evil.example"}).status_code == 403
            cookie = {"Cookie": entered.headers["set-cookie"].partition(";")[0]}
            acted = client.post("/api/act", json={"stage": "consent", "act": "agree"}, headers=cookie)
            assert acted.status_code == 200, acted.text
            assert client.get("/metrics").status_code == 404
            assert client.get("/readyz").json()["status"] == "ready"
    finally:
        server.stop()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("proxy_of", "name"), OF_SEVERAL)
def test_behind_the_sticky_proxy_a_browser_stays_at_its_server_and_goes_to_the_other_when_it_is_killed(
    proxy_of, name, tmp_path, postgres_url
):
    from support.replicas.two_servers import Servers

    with Servers(tmp_path, postgres_url) as servers:
        there = tuple(f"127.0.0.1:{server.port}" for server in servers.servers)
        with (
            proxy_of(name, tmp_path, there) as proxy,
            # It keeps the cookies that it is given, as a browser does: Caddy gives one for the server.
            httpx.Client(base_url=proxy.url, verify=False, timeout=60) as client,
        ):
            assert client.post("/enter", headers={"Origin": proxy.url}).status_code == 303
            for _ in range(20):
                assert client.get("/api/state").status_code == 200
            asked = [requests_at(server) for server in servers.servers]
            assert sorted(count >= 20 for count in asked) == [False, True]
            servers.kill(asked.index(max(asked)))
            assert client.get("/api/state").json()["stage"] == "consent"


def requests_at(server: StudyServer) -> float:
    text = httpx.get(f"{server.url}/metrics", timeout=60).text
    found = re.search(r'study_requests_total\{method="GET",route="/api/state",status="2xx"\} (\S+)', text)
    return float(found[1]) if found else 0.0


# -- Caddy


@pytest.mark.parametrize("file", CADDYFILES, ids=lambda path: path.name)
def test_caddy_takes_the_file(file, tmp_path):
    command = [needed("caddy"), "validate", "--adapter", "caddyfile", "--config", file]
    home = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **home})
    assert done.returncode == 0, done.stderr


# -- backups


@pytest.mark.slow
def test_the_timer_s_script_makes_a_backup_and_lets_old_ones_run_out(tmp_path):
    server = StudyServer(tmp_path).start()
    folder = tmp_path / "backups"
    folder.mkdir()
    old, other = folder / "study-20200101T000000Z.zip", folder / "notes.zip"
    for path in (old, other):
        path.write_bytes(b"x")
        os.utime(path, (1, 1))
    environment = {**os.environ, "STUDY_DATABASE_URL": server.database, "STUDY_VAR": str(tmp_path / "var")}
    try:
        subprocess.run([DEPLOY / "backup.sh", STUDY, folder], check=True, env=environment, capture_output=True)
    finally:
        server.stop()
    made = [path for path in folder.iterdir() if path != other]
    assert old not in made
    assert len(made) == 1
    assert made[0].stat().st_mode & 0o077 == 0
    assert zipfile.ZipFile(made[0]).testzip() is None


def test_the_timer_s_script_removes_old_backups_also_while_none_can_be_made(tmp_path):
    day, now = 86400, tmp_path.stat().st_mtime
    ages = {"20260101T000000": 31, "20260110T010000": 20, "20260110T020000": 19.9, "20260111T000000": 19}
    ages |= {"20260130T010000": 0.2, "20260130T020000": 0.1}
    for name, days in ages.items():
        path = tmp_path / f"study-{name}Z.zip"
        path.write_bytes(b"x")
        os.utime(path, (now - days * day,) * 2)
    done = subprocess.run([DEPLOY / "backup.sh", "/bin/false", tmp_path], check=False)
    assert done.returncode == 1
    kept = sorted(path.name[6:21] for path in tmp_path.iterdir())
    assert kept == ["20260110T010000", "20260111T000000", "20260130T010000", "20260130T020000"]


# -- containers


def test_the_compose_file_names_what_exists_and_trusts_its_own_network_only():
    compose = yaml.safe_load((DEPLOY / "container" / "compose.yaml").read_text())
    services = compose["services"]
    assert {"database", "server1", "server2", "console", "nginx"} <= services.keys()
    for name in ("server1", "server2", "console"):
        build = services[name]["build"]
        assert (DEPLOY / "container" / build["context"]).resolve() == ROOT
        assert (ROOT / build["dockerfile"]).is_file()
        assert (
            services[name]["environment"]["STUDY_TRUSTED_PROXIES"]
            == (compose["networks"]["inside"]["ipam"]["config"][0]["subnet"])
        )
    for mounted in services["nginx"]["volumes"][:2]:
        assert (DEPLOY / "container" / mounted.partition(":")[0]).resolve().is_file()
    published = [port for service in services.values() for port in service.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") or port in ("80:80", "443:443") for port in published)
    for service in services.values():
        assert set(service.get("networks", [])) == {"inside"}


def test_the_containerfile_sets_variables_that_are_read_and_starts_what_is_there():
    text = (DEPLOY / "container" / "Containerfile").read_text()
    read = "\n".join(path.read_text() for path in (ROOT / "study_app").rglob("*.py"))
    for name in re.findall(r"\b(STUDY_[A-Z_]+)=", text):
        assert f'"{name}"' in read, name
    assert 'ENTRYPOINT ["study"]' in text
    assert re.search(r"^USER study$", text, re.M)
