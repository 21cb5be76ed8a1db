"""How often curl-lb allocates memory for a request, counted by hooks in its place of malloc."""
import os
import socket
import struct
import subprocess

from harness import FOLDER, LISTEN, TRIALS, Missing, balancer, origins

REQUESTS = {
    "GET": b"GET / HTTP/1.1\r\nHost: t\r\nUser-Agent: trial\r\nAccept: */*\r\n\r\n",
    "GET with an identifier": b"GET / HTTP/1.1\r\nHost: t\r\nX-Request-Id: trial-1\r\n\r\n",
    "GET of a client's trace": b"GET / HTTP/1.1\r\nHost: t\r\n"
    b"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n",
    "POST of 5 bytes": b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello",
}
# Asked of a balancer that binds clients and believes its client about others; COOKIE is one that it has set.
BOUND_REQUESTS = {
    "GET of a client that is bound": b"GET / HTTP/1.1\r\nHost: t\r\nCookie: a=b; COOKIE\r\n\r\n",
    "GET of one that is bound anew": b"GET / HTTP/1.1\r\nHost: t\r\nCookie: a=b\r\n\r\n",
    "GET behind a trusted proxy": b"GET / HTTP/1.1\r\nHost: t\r\nCookie: COOKIE\r\nX-Forwarded-Proto: https\r\n"
    b"X-Forwarded-For: 1.1.1.1, 2001:db8::1, 127.0.0.1\r\n\r\n",
}
# Enough of each that the one allocation of a timer, of which there may be some, is none for a request.
WARM_UP, COUNTED = 300, 2000
OTHERS = 20
# Checks and the look at the counters allocate, beside the requests.
WITHOUT_HEALTH = {"LB_HEALTH": "off", "LB_EJECT": "off"}


def hooks():
    """Builds the library that counts, and returns its path."""
    library = os.path.join(FOLDER, "allocation_count.so")
    command = ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library]
    try:
        subprocess.run([*command, os.path.join(TRIALS, "allocation_count.c")], check=True)
    except FileNotFoundError:
        raise Missing("gcc is needed (Debian: g++)") from None
    return library


def exchange(client, request):
    """Sends a request and reads its response whole; returns the status."""
    return response(client, request)[0]


def response(client, request):
    """Sends a request and reads its response whole; returns the status and the fields."""
    client.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += receive(client)
    head, _, body = answer.partition(b"\r\n\r\n")
    pairs = (line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
    fields = {name.lower(): value for name, value in pairs}
    left = int(fields[b"content-length"]) - len(body)
    while left > 0:
        left -= len(receive(client))
    return int(head.split(b" ", 2)[1]), fields


def receive(client):
    piece = client.recv(65536)
    if not piece:
        raise ConnectionError("curl-lb closed the connection")
    return piece


def trial_allocations():
    """in the steady state no request allocates memory (2,000 each of seven kinds, the access log off)"""
    counter = os.path.join(FOLDER, "allocations")
    with open(counter, "wb") as file:
        file.write(bytes(8))

    def allocated():
        with open(counter, "rb") as file:
            return struct.unpack("=Q", file.read(8))[0]

    def is_free(requests, **settings):
        """Whether none of the requests costs an allocation, at a balancer of its own."""
        process = balancer(
            **settings, **WITHOUT_HEALTH, LD_PRELOAD=library, ALLOCATION_COUNT=counter, LB_WORKERS="1", LB_ACCESS_LOG="off"
        )
        passed = allocated() > 0
        if not passed:
            print("  the hooks count nothing, not even the start")
        with socket.create_connection(("127.0.0.1", LISTEN), 10) as client:
            cookie = response(client, REQUESTS["GET"])[1].get(b"set-cookie", b"").split(b";")[0]
            for name, request in requests.items():
                passed = passed and (cookie or b"COOKIE" not in request)
                request = request.replace(b"COOKIE", cookie)
                for _ in range(WARM_UP):
                    exchange(client, request)
                before = allocated()
                statuses = {exchange(client, request) for _ in range(COUNTED)}
                count = allocated() - before
                print(f"  {name}: {count} allocations in {COUNTED} exchanges, statuses {sorted(statuses)}")
                passed = passed and statuses == {200} and count <= OTHERS
        process.terminate()
        process.wait()
        return passed

    library = hooks()
    origins()
    passed = is_free(REQUESTS)
    bound = is_free(
        BOUND_REQUESTS, LB_STICKY="cookie", LB_STICKY_SECRET="a secret for trials", LB_TRUSTED="127.0.0.1 10.0.0.0/8"
    )
    traced = is_free(REQUESTS, LB_TRACE="on")
    return passed and bound and traced
