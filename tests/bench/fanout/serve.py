"""Serves one of the Python applications: `python -m tests.bench.fanout.serve ours 8000`."""

import importlib
import sys

import uvicorn

from adapters.serving import OPTIONS

if __name__ == "__main__":
    module, port = sys.argv[1:]
    application = importlib.import_module(f"tests.bench.fanout.{module}").application()
    uvicorn.run(application, host="127.0.0.1", port=int(port), loop="uvloop", **OPTIONS)
