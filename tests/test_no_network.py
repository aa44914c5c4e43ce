"""The guard itself works, here and in child processes."""

import socket
import subprocess
import sys

import pytest

CALL = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"


def test_another_machine_is_refused():
    with pytest.raises(PermissionError, match="without a network"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)


def test_names_are_not_looked_up():
    with pytest.raises(PermissionError, match=r"example\.org"):
        socket.getaddrinfo("example.org", 80)


def test_loopback_is_open():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=1).close()


def test_children_are_refused_too():
    child = subprocess.run([sys.executable, "-c", CALL], capture_output=True, text=True)
    assert "PermissionError: the tests run without a network" in child.stderr
