"""An admin API that says what a trial wants it to say, with the real page: exact figures, odd names, refusals."""
import asyncio
import json
import time
from urllib.parse import unquote

PHASES = ("queue", "dns", "connect", "tls", "wait", "body")
STEPS = (100, 110, 120, 130, 140, 150, 160, 170, 180, 190, 200, 225, 250, 275, 300, 350, 400, 450, 500, 600, 700, 800, 900)
FINE = [step * 10**decade / 1e11 for decade in range(3, 12) for step in STEPS] + [1000.0]
COARSE = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
]
REASONS = ("connection_refused", "connection_timeout", "connection_terminated", "http_response_timeout")


class Histogram:
    """Counts durations between bounds, and writes them as the balancer does."""

    def __init__(self, bounds):
        self.bounds, self.counts, self.sum = bounds, {}, 0.0

    def add(self, seconds, number=1):
        bound = next((bound for bound in self.bounds if seconds <= bound), None)
        self.counts[bound] = self.counts.get(bound, 0) + number
        self.sum += seconds * number

    def json(self):
        buckets = sorted(self.counts.items(), key=lambda item: (item[0] is None, item[0]))
        return {
            "resolution": "fine" if self.bounds is FINE else "coarse",
            "count": sum(self.counts.values()),
            "sum_seconds": self.sum,
            "p50": None, "p90": None, "p99": None, "p999": None,
            "buckets": [{"count": count} if bound is None else {"le": bound, "count": count} for bound, count in buckets],
        }


class ScriptedBackend:
    def __init__(self, name, address="http://10.0.0.1:80", **facts):
        self.facts = {
            "name": name, "address": address, "is_member": True, "operational": "up", "administrative": "ready",
            "requested": "ready", "weight": 1, "is_backup": False, "in_flight": 0, "maximum_in_flight": 0, "source": "configuration",
            "health": {
                "weight_percent": 100, "check": "/health", "ejections": 0, "ejection": None, "latest_change": None,
                "probes": [
                    {"age": 2.0 * age + 1, "is_good": True, "text": "200", "milliseconds": 1.2} for age in range(19, -1, -1)
                ],
            },
            **facts,
        }
        self.responses = dict.fromkeys(("1xx", "2xx", "3xx", "4xx", "5xx", "other"), 0)
        self.failures = dict.fromkeys(REASONS, 0)
        self.attempts = self.retries = 0
        self.request, self.first_byte = Histogram(FINE), Histogram(FINE)
        self.phases = {phase: Histogram(COARSE) for phase in PHASES}

    def serve(self, seconds, number=1, status="2xx", **phases):
        """Counts requests that took so long, with what of it each phase took."""
        self.attempts += number
        self.responses[status] += number
        self.request.add(seconds, number)
        self.first_byte.add(seconds, number)
        for phase, took in (phases or {"wait": seconds}).items():
            self.phases[phase].add(took, number)

    def fail(self, reason, number=1):
        self.attempts += number
        self.failures[reason] += number

    def json(self):
        def listed(counts):
            return [{"label": label, "count": count} for label, count in counts.items()]

        facts = self.facts
        words = (facts["administrative"], facts["requested"])
        return {
            **facts,
            "takes_requests": facts["operational"] == "up" and words == ("ready", "ready") and facts["weight"] > 0,
            "counts": {
                "responses": listed(self.responses), "attempts": self.attempts, "retries": self.retries,
                "failures": listed(self.failures), "connections_opened": 8, "connections_closed": 2,
                "connections_reused": max(0, self.attempts - 8), "bytes_sent": 0, "bytes_received": self.attempts * 100,
                "first_byte": self.first_byte.json(), "request": self.request.json(),
                **{phase: histogram.json() for phase, histogram in self.phases.items()},
            },
        }


class ScriptedBalancer:
    """The state that messages show. Its clock moves only when it is told."""

    def __init__(self, backends):
        self.backends = {backend.facts["name"]: backend for backend in backends}
        self.time, self.uptime, self.processor, self.busy = time.time(), 5000.0, 10.0, 20.0
        self.codes = {code: 0 for code in ("none", "1xx", "2xx", "3xx", "4xx", "5xx", "other")}
        self.failures = dict.fromkeys((*REASONS, "client_gone", "destination_unavailable"), 0)
        self.duration = Histogram(FINE)
        self.in_flight, self.connections, self.waiting, self.is_panic = 0, 40, 0, False
        self.name = "edge-1"

    def passes(self, seconds):
        self.time += seconds
        self.uptime += seconds

    def answer(self, seconds, number=1, code="2xx", reason=None):
        self.codes[code] += number
        self.duration.add(seconds, number)
        if reason:
            self.failures[reason] += number

    def json(self):
        ended = sum(self.codes.values())
        return {
            "time": self.time, "name": self.name, "is_panic": self.is_panic, "queue_waiting": self.waiting,
            "build": {"version": "0.1.0", "libcurl": "libcurl 7.88.1", "tls": "OpenSSL/3.0.17"},
            "process": {
                "cpu_seconds": self.processor, "resident_bytes": 31 << 20, "virtual_bytes": 1 << 30, "open_descriptors": 120,
                "maximum_descriptors": 1048576, "threads": 6, "start_time": self.time - self.uptime, "uptime": self.uptime,
            },
            "policy": "round_robin", "pool_version": 3, "surprises": [], "additional": [],
            "access_log": {"lines": ended, "lost": 0},
            "backends": [backend.json() for backend in self.backends.values()],
            "loops": [
                {"connections": 20, "turns": 1, "busy_seconds": self.busy / 2, "stale_events": 0,
                 "turn": Histogram(FINE).json(), "lateness": Histogram(COARSE).json()} for _ in range(2)
            ],
            "clients": {
                "connections_opened": 1000 + self.connections, "connections_closed": 1000, "connections_refused": [],
                "requests_begun": ended + self.in_flight, "requests_ended": ended,
                "requests": [{"method": "GET", "code": code, "count": count} for code, count in self.codes.items()],
                "failures": [{"label": label, "count": count} for label, count in self.failures.items()],
                "tunnels_opened": 0, "tunnels_closed": 0, "bytes_received": 0, "bytes_sent": ended * 100, "log_lines": ended,
                "log_lines_sampled_out": 0, "unknown_reasons": 0, "duration": self.duration.json(),
            },
        }


class ScriptedAdmin:
    """Serves the page and the events of a scripted balancer, and keeps what it is asked to change."""

    def __init__(self, balancer, page, policy):
        self.balancer, self.page, self.policy = balancer, page, policy
        self.connections, self.streams, self.changes, self.asked = set(), set(), [], []
        self.token = self.refusal = None
        self.tails = []

    async def __aenter__(self):
        await self.listen(0)
        return self

    async def __aexit__(self, *_):
        await self.stop()

    async def listen(self, port):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self):
        """As if the process had died."""
        self.server.close()
        for writer in list(self.connections):
            writer.transport.abort()

    def send(self, kind, value):
        message = f"event: {kind}\ndata: {json.dumps(value)}\n\n".encode()
        for writer in self.streams:
            writer.write(message)

    def send_stats(self):
        self.send("stats", self.balancer.json())

    async def serve(self, reader, writer):
        self.connections.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                method, target, _ = head.split("\r\n")[0].split(" ")
                fields = {
                    name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])
                }
                body = await reader.readexactly(int(fields.get("content-length", 0)))
                self.asked.append(f"{method} {target}")
                if target == "/":
                    self.reply(writer, 200, self.page, "text/html; charset=utf-8", f"Content-Security-Policy: {self.policy}\r\n")
                elif self.token and fields.get("authorization") != f"Bearer {self.token}":
                    self.problem(writer, 401, "Unauthorized", "a token is needed")
                elif target == "/events":
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n: hello\n\n")
                    self.streams.add(writer)
                    writer.write(f"event: stats\ndata: {json.dumps(self.balancer.json())}\n\n".encode())
                    for kind, value in self.tails:
                        writer.write(f"event: {kind}\ndata: {json.dumps(value)}\n\n".encode())
                elif method == "PATCH" and target.startswith("/backends/"):
                    self.change(writer, unquote(target.removeprefix("/backends/")), json.loads(body), fields)
                else:
                    self.problem(writer, 404, "Not Found", f"there is no {target}")
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.connections.discard(writer)
            self.streams.discard(writer)
            writer.close()

    def change(self, writer, name, change, fields):
        self.changes.append((name, change, fields))
        if self.refusal:
            self.problem(writer, 409, "Conflict", self.refusal)
            return
        facts = self.balancer.backends[name].facts
        facts["administrative"] = change.get("state", facts["administrative"])
        facts["weight"] = 1 if change.get("weight", 0) is None else change.get("weight", facts["weight"])
        self.reply(writer, 200, json.dumps(self.balancer.backends[name].json()), "application/json")

    def problem(self, writer, status, title, detail):
        problem = {"type": "about:blank", "title": title, "status": status, "detail": detail, "reason": "scripted"}
        self.reply(writer, status, json.dumps(problem), "application/problem+json")

    def reply(self, writer, status, body, kind, fields=""):
        body = body.encode()
        fields = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\nCache-Control: no-store\r\n{fields}"
        writer.write(f"HTTP/1.1 {status} Scripted\r\n{fields}\r\n".encode() + body)
