# SPDX-License-Identifier: ISC
"""The units, as systemd-analyze judges them: what it knows, and how much of
the system each may touch."""

import glob
import os
import re
import subprocess

import pytest

import haul as haul_module

UNITS = os.path.join(haul_module.TOP, "systemd")
SYSTEM = ["mailhaul.service", "mailhaul@.service", "mailhaul-fetch.service",
          "mailhaul-fetch.timer"]
USER = ["mailhaul.service", "mailhaul-fetch.service", "mailhaul-fetch.timer"]


def analyze(*args, **env):
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *args], capture_output=True,
        text=True, env=dict(os.environ, **env), timeout=60)


def version():
    return int(analyze("--version").stdout.split()[1])


@pytest.fixture(scope="module")
def units(tmp_path_factory):
    """Copies that start this program and name no manual, which may not be
    installed; without the second Type=, where systemd does not know it."""
    top = tmp_path_factory.mktemp("units")
    for path in glob.glob(UNITS + "/*") + glob.glob(UNITS + "/user/*"):
        if os.path.isdir(path):
            continue
        with open(path) as f:
            text = f.read()
        assert "Type=notify-reload" in text or "Type=notify" not in text
        text = text.replace("ExecStart=mailhaul",
                            "ExecStart=" + haul_module.MAILHAUL)
        text = re.sub(r"(?m)^Documentation=.*\n", "", text)
        if version() < 253:
            text = text.replace("Type=notify-reload\n", "")
        to = top / os.path.relpath(path, UNITS).replace("@.", "@daemon.")
        to.parent.mkdir(exist_ok=True)
        to.write_text(text)
    return top


@pytest.mark.parametrize("name", SYSTEM)
def test_systemd_has_nothing_to_say_against(units, name):
    r = analyze("verify", str(units / name.replace("@.", "@daemon.")))
    assert (r.returncode, r.stdout + r.stderr) == (0, "")


@pytest.mark.parametrize("name", USER)
def test_nor_against_those_of_a_user(units, tmp_path, name):
    tmp_path.chmod(0o700)
    r = analyze("verify", "--user", str(units / "user" / name),
                XDG_RUNTIME_DIR=str(tmp_path))
    assert (r.returncode, r.stdout + r.stderr) == (0, "")


@pytest.mark.parametrize("name,most", [
    ("mailhaul@daemon.service", 1.5),  # for one user
    ("mailhaul.service", 3.5)])        # becomes others
def test_may_touch_little_of_the_system(units, name, most):
    r = analyze("security", "--offline=true", "--threshold=%d" % (most * 10),
                str(units / name))
    level = re.search(r"exposure level for \S+: ([\d.]+)", r.stdout)
    assert float(level.group(1)) <= most, r.stdout
    assert r.returncode == 0, r.stdout + r.stderr


def test_users_and_directories_can_be_made(tmp_path):
    """sysusers.d and tmpfiles.d, in a root of their own."""
    (tmp_path / "etc").mkdir()
    for tool, name in (("systemd-sysusers", "mailhaul.sysusers"),
                       ("systemd-tmpfiles", "mailhaul.tmpfiles")):
        args = [tool, "--root=%s" % tmp_path, os.path.join(UNITS, name)]
        if tool == "systemd-tmpfiles":
            args.insert(1, "--create")
        r = subprocess.run(args, capture_output=True, text=True, timeout=60)
        assert r.returncode == 0, r.stdout + r.stderr
    assert "mailhaul:" in (tmp_path / "etc/passwd").read_text()
    assert (tmp_path / "var/lib/mailhaul").is_dir()
