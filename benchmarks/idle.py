"""Idle keep-alive connections: each makes one request, and stays."""
import select
import socket

import load
import proxies

REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class IdleConnections:
    """Connections to the proxy that are closed when the `with` ends."""

    def __init__(self):
        self.sockets = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for client in self.sockets:
            client.close()
        self.sockets.clear()

    def open(self, count):
        """Opens so many more, and has one request of each answered."""
        for _ in range(count):
            try:
                client = socket.create_connection(("127.0.0.1", proxies.PORT), 10)
                self.sockets.append(client)
                client.sendall(REQUEST)
                answer = b""
                while not answer.endswith(b"x" * 100):
                    piece = client.recv(4096)
                    if not piece or not (answer + piece).startswith(b"HTTP/1.1 200 "):
                        raise load.Failure(f"idle connection {len(self.sockets)} was answered {(answer + piece)[:60]!r}")
                    answer += piece
            except OSError as error:
                raise load.Failure(f"idle connection {len(self.sockets)}: {error}") from error

    def require_open(self):
        """Raises if the proxy has closed one of them, or sent what nobody asked for."""
        poller = select.poll()
        for client in self.sockets:
            poller.register(client, select.POLLIN)
        if closed := poller.poll(0):
            raise load.Failure(f"{len(closed)} of {len(self.sockets)} idle connections did not stay open")
