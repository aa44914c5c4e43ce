"""Refuses every connection that leaves this machine, here and (through PYTHONPATH) in every child process."""

import socket

LOCAL = ("localhost", "127.", "::1", "0.0.0.0")
_connect = socket.socket.connect
_lookup = socket.getaddrinfo


def _refuse(host):
    if host is not None and not str(host).startswith(LOCAL):
        raise PermissionError(f"the tests run without a network, but something asked for {host}")


def connect(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6):
        _refuse(address[0])
    return _connect(self, address)


def getaddrinfo(host, *args, **kwargs):
    _refuse(host)
    return _lookup(host, *args, **kwargs)


socket.socket.connect = connect
socket.getaddrinfo = getaddrinfo
