"""The gateway's other side as a process: `python -m tests.journeys.far_side PORT SERVER_KEY TIMES_FASTER`."""

import asyncio
import sys

import uvicorn

from adapters.sandbox.midtrans import SandboxSettings, create_sandbox


def serve(port: int, server_key: str, times_faster: float) -> None:
    """Serve until told to stop; notifications are tried again on the gateway's own schedule, but so much faster."""

    async def hurry(seconds: float) -> None:
        await asyncio.sleep(seconds / times_faster)

    sandbox = create_sandbox(SandboxSettings((server_key,), notification_timeout_s=5.0), sleep=hurry)
    uvicorn.run(sandbox, host="127.0.0.1", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
