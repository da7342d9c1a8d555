"""The init script of Starman, as the states write it."""

import os
import subprocess
import tempfile
from pathlib import Path

import jinja2

SCRIPT = Path(__file__).parents[2] / "salt/states/web/wormbase-starman"
WHO = '#!/bin/sh\necho "$1 $(id -un) $(id -Gn) $FROM" >> logs/who\n'


def test_nothing_of_a_release_is_run_as_root(load, tmp_path):
    pillar = {"webapp": {"user": "nobody", "group": "nogroup"}}
    read = load("node", pillar)["wb_settings.read"]
    with tempfile.TemporaryDirectory() as folder:
        live = Path(folder) / "WS221-2010.12.24-0.02-1350"
        for name in ("bin", "logs"):
            (live / name).mkdir(parents=True)
        (live / "wormbase.env").write_text("export FROM=$(id -un)\n")
        (live / "bin/starman-production.sh").write_text(WHO)
        for path, mode in ((".", 0o755), ("logs", 0o777), ("bin/starman-production.sh", 0o755)):
            (live / path).chmod(mode)
        Path(folder).chmod(0o755)
        settings = read()
        settings["paths"]["production"] = str(live)
        script = tmp_path / "wormbase-starman"
        script.write_text(
            jinja2.Template(SCRIPT.read_text()).render(salt={"wb_settings.read": lambda: settings})
        )
        for verb in ("start", "status", "force-reload"):
            subprocess.run(["sh", script, verb], check=True, env={"PATH": os.environ["PATH"]})
        said = (live / "logs/who").read_text().splitlines()
    assert said == [f"{verb} nobody nogroup nobody" for verb in ("start", "status", "restart")]
