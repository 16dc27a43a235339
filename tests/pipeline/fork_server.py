"""A program for tests: has imported the three plugins, and forks a process for each command line that it is given.

What is saved is the import, a second of CPU for each plugin. A child is a process like any other: the plugin's own command line on
pipes, in its environment and folder. Talk is by datagrams of JSON over the socket on descriptor 3, file descriptors go along.
"""

import array
import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from case_ticket_mapper.mapper import CaseTicketMapper
from tap_salesforce_cases.tap import TapSalesforceCases
from target_hubspot_tickets.target import TargetHubspotTickets

PLUGINS: dict[str, tuple[str, Callable[[], None]]] = {
    "tap": ("tap-salesforce-cases", TapSalesforceCases.cli),
    "mapper": ("case-ticket-mapper", CaseTicketMapper.cli),
    "target": ("target-hubspot-tickets", TargetHubspotTickets.cli),
}
ASKED_BYTES = 1 << 20


def receive(talk: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The next question, and the descriptors that came with it."""
    text, given, _, _ = talk.recvmsg(ASKED_BYTES, socket.CMSG_LEN(3 * array.array("i").itemsize))
    numbers = array.array("i")
    for _level, _kind, data in given:
        numbers.frombytes(data)
    return (json.loads(text) if text else {}), list(numbers)


def become(asked: dict[str, Any], descriptors: list[int], talk: socket.socket) -> Callable[[], None]:
    """In the child: what is left to do is to call the plugin."""
    talk.close()
    for place, descriptor in enumerate(descriptors):
        os.dup2(descriptor, place)
        os.close(descriptor)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    name, command_line = PLUGINS[asked["plugin"]]
    sys.argv = [name, *asked["argv"]]
    return command_line


def serve(talk: socket.socket) -> Callable[[], None] | None:
    """Answer until the other side closes; a child comes back with what it is to call."""
    while True:
        asked, descriptors = receive(talk)
        if not asked:
            return None
        if "wait" in asked:
            _, status = os.waitpid(asked["wait"], 0)
            talk.send(json.dumps({"code": os.waitstatus_to_exitcode(status)}).encode())
            continue
        if (child := os.fork()) == 0:
            return become(asked, descriptors, talk)
        for descriptor in descriptors:
            os.close(descriptor)
        talk.send(json.dumps({"pid": child}).encode())


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the tests, and they end this
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=3) as talk:
        call = serve(talk)
        if call is None:
            return
    call()


if __name__ == "__main__":
    main()
