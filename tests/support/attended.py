"""Runs a server for as long as somebody holds the other end of stdin, and leaves no process behind.

    python attended.py USER COMMAND...        USER is "" for one's own

Prints the server's process number. A test run that is killed closes the pipe, too.
"""

import os
import select
import signal
import subprocess
import sys

PATIENCE_S = 10.0


def main(user: str, *command: str) -> int:
    rights = {"user": user, "group": user, "extra_groups": []} if user else {}
    server = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=sys.stderr, start_new_session=True, **rights
    )
    print(server.pid, flush=True)
    while server.poll() is None and not select.select([sys.stdin], [], [], 0.2)[0]:
        pass
    stop(server)
    return server.wait()


def stop(server: subprocess.Popen) -> None:
    """Ends the server and its children: politely, then not."""
    for number in (signal.SIGINT, signal.SIGKILL):
        try:
            os.killpg(server.pid, number)
            server.wait(PATIENCE_S)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl-c reaches pytest, which closes the pipe
    sys.exit(main(*sys.argv[1:]))
