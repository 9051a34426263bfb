"""Node's side of a test: its packages, installed once for all tests, and its scripts, run beside the application."""

import asyncio
import fcntl
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

from adapters.config import ROOT
from tests.programs import stay_home

HERE = Path(__file__).parent
INSTALL = "npm install --ignore-scripts --no-audit --no-fund --no-package-lock --prefer-offline --loglevel=error"
INSTALL_S = 300
MISSING = "Node.js with npm is not installed (Debian: apt-get install nodejs npm)"


def workshop(manifest: Path = HERE / "package.json") -> Path:
    """A folder with the packages of a manifest and the scripts that lie beside it. Its content is kept between runs.

    The test stays at home without Node, or without its packages.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        stay_home(MISSING)
    text = manifest.read_bytes()
    folder = ROOT / ".cache" / f"{manifest.parent.name}-{sha256(text).hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            (folder / "package.json").write_bytes(text)
            done = subprocess.run(
                INSTALL.split(), cwd=folder, capture_output=True, text=True, check=False, timeout=INSTALL_S
            )
            if done.returncode:
                stay_home(f"npm could not install the packages of {manifest.relative_to(ROOT)}: {done.stderr[-2000:]}")
            (folder / "installed").touch()
        for script in manifest.parent.glob("*.mjs"):
            copy = folder / script.name
            if not copy.exists() or copy.read_bytes() != script.read_bytes():
                copy.write_bytes(script.read_bytes())
    return folder


@asynccontextmanager
async def running(folder: Path, script: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A script of a workshop, with pipes for its standard streams; it does not outlive the block."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        "node", script, *arguments, cwd=folder, stdin=pipe, stdout=pipe, stderr=pipe
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
