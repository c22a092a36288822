"""How the wheel differs from the repository.

Users may have a `baselines` or a `dashboard` of their own, so in a wheel those packages have names of ours, and what
imports them is written so. The example sweeps and the list of bundled parts stand beside the packages in the repository
and inside one in the wheel (harness/shipped.py knows both places). An editable installation is the repository as it is.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

RENAMED = {name: f"harness_{name}" for name in ("baselines", "dashboard")}
CARRIED = ("configs", "requirements-bundled.txt")
_IMPORT = re.compile(rf"^(\s*(?:from|import) )({'|'.join(RENAMED)})\b", re.MULTILINE)


class BuildForWheel(build_py):
    """Copies the packages, then gives them their names and puts in what they carry."""

    def run(self) -> None:
        if self.editable_mode:
            super().run()
            return
        built = Path(self.build_lib)
        for name in ("harness", *RENAMED, *RENAMED.values()):
            shutil.rmtree(built / name, ignore_errors=True)
        super().run()
        for file in built.rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            file.write_text(_IMPORT.sub(lambda match: match[1] + RENAMED[match[2]], text), encoding="utf-8")
        for name, renamed in RENAMED.items():
            (built / name).rename(built / renamed)
        carried = built / "harness" / "_carried"
        carried.mkdir()
        for name in map(Path, CARRIED):
            (shutil.copytree if name.is_dir() else shutil.copyfile)(name, carried / name)


class WheelOfOurs(bdist_wheel):
    """Lists the packages under the names that they have in the wheel."""

    def write_wheelfile(self, wheelfile_base: str, *args: str) -> None:
        names = Path(wheelfile_base) / "top_level.txt"
        tops = [RENAMED.get(name, name) for name in names.read_text(encoding="utf-8").split()]
        names.write_text("\n".join(sorted(tops)) + "\n", encoding="utf-8")
        super().write_wheelfile(wheelfile_base, *args)


setup(cmdclass={"build_py": BuildForWheel, "bdist_wheel": WheelOfOurs})
