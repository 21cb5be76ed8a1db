"""The workloads, by name: what clients do, and what stands behind the proxy."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Workload:
    """One load: what is asked for, over how many connections, of how many backends."""

    name: str
    about: str
    connections: int = 64
    path: str = "/"
    backends: int = 3
    # Bytes of a request body.
    upload: int = 0
    # A connection for each request.
    closes: bool = False
    # Connections that have made one request each and stay open beside the busy ones.
    idle: int = 0
    # Requests at a constant rate, half of what the slowest proxy can do, instead of as many as possible.
    paced: bool = False
    # How long the last backend takes to answer, in milliseconds.
    delay: int = 0
    # An access log, JSON, into a file.
    log: bool = False
    # Also through the relay: only where a backend connection per client connection does the same work.
    floor: bool = False
    # curl-lb alone, with one worker and with two, on two cores.
    scales: bool = False


WORKLOADS = (
    Workload("small-get-1", "GET, 100 bytes, 1 connection", connections=1, floor=True),
    Workload("small-get-64", "GET, 100 bytes, 64 connections", floor=True),
    Workload("small-get-512", "GET, 100 bytes, 512 connections", connections=512, floor=True),
    Workload("connection-per-request", "GET, 100 bytes, a new client connection for each", closes=True),
    Workload("get-64k", "GET, 64 KiB, 64 connections", path="/64k", floor=True),
    Workload("get-1m", "GET, 1 MiB, 64 connections", path="/1m", floor=True),
    Workload("upload-1m", "POST of 1 MiB, 64 connections", upload=1 << 20, floor=True),
    Workload("chunked", "GET, 16 chunks of 4 KiB, each sent by itself, 64 connections", path="/chunked", floor=True),
    Workload("idle-1000", "GET, 100 bytes, 64 connections beside 1,000 idle ones", idle=1000),
    Workload("idle-10000", "GET, 100 bytes, 64 connections beside 10,000 idle ones", idle=10000),
    Workload("backends-100", "GET, 100 bytes, 64 connections, 100 backends", backends=100),
    Workload("backends-1000", "GET, 100 bytes, 64 connections, 1,000 backends", backends=1000),
    Workload("half-rate", "GET, 100 bytes, at half of what the slowest proxy can do, 64 connections", paced=True, floor=True),
    Workload("slow-backend", "GET, 100 bytes, 64 connections, one backend of three answers after 20 ms", delay=20),
    Workload("json-log", "GET, 100 bytes, 64 connections, an access log in JSON", log=True),
    Workload("two-workers", "GET, 100 bytes, 64 connections; on two cores, the clients share the second if there is no third", scales=True),
)
# Where a constant rate is derived from.
CAPACITY = "small-get-64"
QUICK = (CAPACITY, "connection-per-request", "get-64k")
