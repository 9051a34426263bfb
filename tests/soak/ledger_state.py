"""`python -m tests.soak.ledger_state --examples 3000`: PostgreSQL against the model, large budget, new dice."""

import argparse
import os
import subprocess
import sys

from adapters.config import ROOT

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=3_000)
    parser.add_argument("--steps", type=int, default=50)
    given = parser.parse_args()
    budget = {"LEDGER_EXAMPLES": str(given.examples), "LEDGER_STEPS": str(given.steps)}
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/adapters/test_ledger_state.py"]
    sys.exit(subprocess.run(tests, cwd=ROOT, env={**os.environ, **budget}, check=False).returncode)
