"""The admin API against its own description, by schemathesis of PyPI."""
import os
import re
import subprocess
import sys

from harness import FOLDER, ROOT, TRIALS, Missing, balancer, origins, wait_for

VERSION = "4.32.5"
ADMIN = 5190
ENVIRONMENT = os.path.join(ROOT, ".build-trials", "schemathesis")
PROGRAM = os.path.join(ENVIRONMENT, "bin", "schemathesis")


def install():
    """Puts schemathesis into a virtual environment of its own."""
    found = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True).stdout if os.path.exists(PROGRAM) else ""
    if found.split()[-1:] == [VERSION]:
        return
    pip = [os.path.join(ENVIRONMENT, "bin", "pip"), "install", "--quiet", "--disable-pip-version-check"]
    try:
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
        subprocess.run([*pip, f"schemathesis=={VERSION}"], check=True)
    except subprocess.CalledProcessError as error:
        raise Missing("schemathesis cannot be installed; it needs python3-venv and PyPI") from error


def trial_openapi():
    """schemathesis (PyPI) finds no answer of the admin API that its description does not have"""
    install()
    origins()
    process = balancer(LB_ADMIN=f"127.0.0.1:{ADMIN}", LB_ACCESS_LOG="off")
    wait_for(ADMIN)
    command = [PROGRAM, "--config-file", os.path.join(TRIALS, "schemathesis.toml"), "run", "--no-color"]
    # An event stream has no end.
    options = ["--exclude-path", "/events", "--max-examples", os.environ.get("TRIAL_EXAMPLES", "50")]
    result = subprocess.run(
        [*command, f"http://127.0.0.1:{ADMIN}/openapi.json", *options],
        cwd=FOLDER,
        capture_output=True,
        text=True,
    )
    found = re.search(r"\d+ generated.*", result.stdout)
    print(f"  {found.group(0) if found else result.stdout + result.stderr}")
    if result.returncode:
        print(result.stdout)
    return result.returncode == 0 and process.poll() is None
