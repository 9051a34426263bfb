"""Becomes the program named on its command line, as the user it is told; the kernel ends it when its owner ends.

Run as a script by `processes.start`, without site packages; it keeps its process id when it becomes the program. Where
the kernel offers no such thing (it is Linux's), a leftover is ended by the next start instead.
"""

import ctypes
import os
import sys

_SET_PARENT_DEATH_SIGNAL = 1


def become(owner: int, stop_signal: int, user: int, group: int, program: list[str]) -> None:
    """Replace this process by the program; user and group are -1 to stay who we are."""
    if user >= 0:
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    if sys.platform == "linux":
        # After the change of user, which would have undone it.
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, stop_signal)
    if os.getppid() != owner:
        sys.exit("The process that asked for this one has ended already.")
    os.execv(program[0], program)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    _owner, _stop_signal, _user, _group = map(int, sys.argv[1:5])
    become(_owner, _stop_signal, _user, _group, sys.argv[5:])
