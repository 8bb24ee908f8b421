"""Times commands where it is started, bare or behind the wall, and prints the milliseconds as JSON.

usage: inside.py REPEATS NAME=COMMAND...   each command is words divided by spaces
"""
import json
import os
import sys
import time


def once(words: list[str]) -> float:
    started = time.perf_counter_ns()
    process = os.posix_spawn(words[0], words, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
    ])
    _, status = os.waitpid(process, 0)
    if status != 0:
        sys.exit(f"{' '.join(words)} ended with {os.waitstatus_to_exitcode(status)}")
    return (time.perf_counter_ns() - started) / 1e6


times = {}
for argument in sys.argv[2:]:
    name, command = argument.split("=", 1)
    times[name] = [once(command.split()) for _ in range(int(sys.argv[1]))]
print(json.dumps(times))
