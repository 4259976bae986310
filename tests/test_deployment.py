"""The files of deployment say what is so: variables that exist, commands that exist, ports that meet, nobody who is root."""

import re
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

ROOT = Path(__file__).parent.parent
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
CADDY = (ROOT / "deploy" / "Caddyfile").read_text("utf-8")
OURS = [name for name, service in SERVICES.items() if "build" in service]
KNOWN = set(re.findall(r"^#?([A-Z][A-Z_0-9]+)=", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE))
OF_PYTHON = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "TMPDIR"}


def unit(path: Path) -> ConfigParser:
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text("utf-8"))
    return parser


@pytest.mark.parametrize("name", OURS)
def test_compose_sets_only_variables_that_exist(name: str) -> None:
    assert set(SERVICES[name]["environment"]) <= KNOWN
    assert SERVICES[name]["env_file"] == ".env"


def test_the_image_and_the_units_set_only_variables_that_exist() -> None:
    last = DOCKERFILE.rpartition("FROM ")[2]
    of_image = set(re.findall(r"([A-Z_]+)=[^\s]+", last.partition("ENV ")[2].partition("\nUSER")[0]))
    assert of_image - OF_PYTHON <= KNOWN
    example = (ROOT / "deploy" / "systemd" / "environment").read_text("utf-8")
    assert set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE)) <= KNOWN


def test_no_secret_stands_in_a_file() -> None:
    for name in OURS:
        assert not [key for key in SERVICES[name]["environment"] if "SECRET" in key or "KEY" in key]
    assert SERVICES["database"]["environment"]["POSTGRES_PASSWORD"] == "${POSTGRES_PASSWORD:-}"
    example = (ROOT / "deploy" / "systemd" / "environment").read_text("utf-8")
    assert re.search(r"^SECRET_KEY=$", example, re.MULTILINE)
    assert "POSTGRES_PASSWORD" in KNOWN
    assert "SITE_HOST" in KNOWN


@pytest.mark.parametrize("name", OURS)
def test_every_command_exists(name: str) -> None:
    command = SERVICES[name].get("command")
    assert command is None or (command[:2] == ["python", "manage.py"] and command[2] in get_commands())


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_every_command_of_the_units_exists(path: Path) -> None:
    words = unit(path)["Service"]["ExecStart"].split()
    if words[1] == "manage.py":
        assert words[2] in get_commands()
    else:
        assert words[0].endswith("/.venv/bin/granian")


@pytest.mark.parametrize("where", ["Dockerfile", "wxhub-site.service"])
def test_granian_knows_its_options(where: str) -> None:
    text = DOCKERFILE if where == "Dockerfile" else (ROOT / "deploy" / "systemd" / where).read_text("utf-8")
    options = set(re.findall(r"--[a-z-]+", text.partition("granian")[2]))
    known = subprocess.run(
        [ROOT / ".venv" / "bin" / "granian", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert {"--workers-kill-timeout", "--respawn-failed-workers", "--blocking-threads"} <= options
    assert not [option for option in options if option not in known]


def test_the_ports_meet() -> None:
    [port] = re.findall(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE)
    assert f'"--port", "{port}"' in DOCKERFILE
    assert f"127.0.0.1:{port}/healthz" in DOCKERFILE
    assert SERVICES["proxy"]["environment"]["UPSTREAM"].endswith(f":{port}")
    assert f"127.0.0.1:{port}" in CADDY
    assert f"--port {port}" in (ROOT / "deploy" / "systemd" / "wxhub-site.service").read_text("utf-8")
    alias = SERVICES["proxy"]["environment"]["UPSTREAM"].partition(":")[0]
    for site in ("site", "site-one"):
        assert alias in SERVICES[site]["networks"]["default"]["aliases"]


def test_only_the_proxy_is_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if service.get("ports")] == ["proxy"]


@pytest.mark.parametrize("profile", ["many", "one"])
def test_a_profile_is_whole(profile: str) -> None:
    there = {name for name, service in SERVICES.items() if profile in service["profiles"]}
    kinds = {name.removesuffix("-one") for name in there}
    assert {"migrate", "site", "worker", "proxy"} <= kinds
    assert ({"database", "cache"} <= there) == (profile == "many")
    for name in there:
        assert set(SERVICES[name].get("depends_on", {})) <= there
    for name in there - {"proxy", "database", "cache"}:
        url = SERVICES[name]["environment"]["DATABASE_URL"]
        assert url.startswith("sqlite:////data/" if profile == "one" else "postgres://wxhub:")


@pytest.mark.parametrize("name", OURS)
def test_a_container_of_ours_can_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["volumes"] == ["data:/data"]
    for key in ("MEDIA_ROOT", "SPOOL_DIR"):
        assert service["environment"][key].startswith("/data/")
    assert service["environment"]["TRUSTED_PROXIES"] == "1"
    assert service["environment"]["DEBUG"] == "false"


def test_stops_have_the_time_that_our_processes_take() -> None:
    for name in OURS:
        assert int(SERVICES[name]["stop_grace_period"].rstrip("s")) > 10
    for path in UNITS[1:]:
        assert int(unit(path)["Service"]["TimeoutStopSec"]) > 10


def test_everything_starts_again_by_itself_and_migrations_run_once() -> None:
    for name, service in SERVICES.items():
        assert service["restart"] == ("no" if name.startswith("migrate") else "unless-stopped"), name
    for name in ("site", "worker", "site-one", "worker-one"):
        before = SERVICES[name]["depends_on"]
        assert before[next(iter(before))] == {"condition": "service_completed_successfully"}


def test_the_image_runs_as_nobody_special_and_says_that_it_lives() -> None:
    last = DOCKERFILE.rpartition("FROM ")[2]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert "--require-hashes" in DOCKERFILE
    assert "--frozen" in DOCKERFILE
    assert "collectstatic" in DOCKERFILE


def test_only_what_the_image_needs_gets_into_it() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line and line[0] not in "#"]
    assert lines[0] == "*"
    let_in = {line[1:] for line in lines if line.startswith("!")}
    assert all((ROOT / name).exists() for name in let_in)
    assert {"manage.py", "pyproject.toml", "uv.lock", "wxhub", "orders", "wechat", "static", "templates"} <= let_in
    assert not {".env", ".git", "tests", "media"} & let_in


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_can_do_little(path: Path) -> None:
    service = unit(path)["Service"]
    assert service["User"] == "wxhub"
    assert service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    assert service["EnvironmentFile"] == "/etc/wxhub/environment"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for path in (ROOT / "deploy" / "systemd").glob("wxhub-*"):
        text = re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", path.read_text("utf-8"))
        (tmp_path / path.name).write_text(text)
    units = [str(path) for path in sorted(tmp_path.iterdir())]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert not [line for line in done.stderr.splitlines() if "wxhub" in line], done.stderr


def test_the_proxy_hands_on_one_address_and_keeps_the_inside_inside() -> None:
    assert "header_up X-Forwarded-For {remote_host}" in CADDY
    assert "header_up X-Forwarded-Proto {scheme}" in CADDY
    assert re.search(r"@inside path [^\n]*/metrics", CADDY)
    assert "request_buffers" in CADDY
    assert 'Strict-Transport-Security "' not in CADDY
    assert CADDY.count("{") == CADDY.count("}")


def test_every_setting_that_the_code_reads_is_explained() -> None:
    code = "".join((ROOT / "wxhub" / name).read_text("utf-8") for name in ("settings.py", "env.py"))
    read = set(
        re.findall(
            r"(?:env(?:\.\w+)?|secret|required|base_urls?|webhooks|optional_secret|one_of)\(\s*\"([A-Z_]+)\"", code
        )
    )
    assert {"METRICS_TOKEN", "ALARM_WEBHOOKS", "LOG_FORMAT", "SPOOL_DIR"} <= read
    assert read <= KNOWN
