"""Bodies far larger than memory may grow: bytes unchanged, memory bounded."""
import hashlib
import json
import socket
import time
import urllib.request

from harness import LISTEN, balancer, memory, origins


def pattern_hash(size):
    """The SHA-256 of what origins answer to /bytes/SIZE."""
    block = bytes(index % 251 for index in range(251 * 4096))
    digest, left = hashlib.sha256(), size
    while left > 0:
        digest.update(block[: min(left, len(block))])
        left -= len(block)
    return digest.hexdigest()


def trial_transfer(size=2 << 30):
    """2 GiB down and 2 GiB up: hashes equal, resident memory below 64 MiB."""
    origins()
    process = balancer()
    expected = pattern_hash(size)
    for form in ("", "?chunked=1"):
        digest = hashlib.sha256()
        began = time.monotonic()
        with urllib.request.urlopen(f"http://127.0.0.1:{LISTEN}/bytes/{size}{form}") as response:
            while block := response.read(1 << 20):
                digest.update(block)
        print(f"  down{form or ' length'}: {digest.hexdigest() == expected}, {time.monotonic() - began:.1f} s")
        if digest.hexdigest() != expected:
            return False
    block = bytes(index % 251 for index in range(251 * 4096))
    for chunked in (False, True):
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", LISTEN)) as client:
            framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
            client.sendall(f"POST /upload HTTP/1.1\r\nHost: t\r\n{framing}\r\n\r\n".encode())
            left = size
            while left > 0:
                piece = block[: min(left, len(block))]
                client.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
                left -= len(piece)
            if chunked:
                client.sendall(b"0\r\n\r\n")
            answer = b""
            while b"}" not in answer:
                answer += client.recv(65536)
        received = json.loads(answer[answer.index(b"{") :])
        same = received["sha256"] == expected and received["length"] == size
        print(f"  up {'chunked' if chunked else 'length'}: {same}, {time.monotonic() - began:.1f} s")
        if not same:
            return False
    peak = memory(process)
    print(f"  peak resident memory {peak:.1f} MiB")
    return peak < 64


def trial_slow_reader(size=2 << 30, rate=1 << 20, seconds=30):
    """A client that reads 1 MB/s of a 2 GiB response: memory stays below 64 MiB, and the origin is held back."""
    origins()
    process = balancer()
    with socket.create_connection(("127.0.0.1", LISTEN)) as client:
        client.sendall(f"GET /bytes/{size} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
        got, began = 0, time.monotonic()
        while time.monotonic() - began < seconds:
            got += len(client.recv(65536))
            time.sleep(max(0.0, got / rate - (time.monotonic() - began)))
    peak = memory(process)
    print(f"  {got / (1 << 20):.0f} MiB read in {seconds} s, peak resident memory {peak:.1f} MiB")
    return peak < 64
