#!/usr/bin/env python3
"""A client that opens many connections and drips one byte a second of a header field into each, until they are ended.

usage: dripper.py PORT COUNT SOURCE_ADDRESS

Prints "open" when all are connected, and when all have ended one line of JSON: the statuses received, how the connections ended,
and after how many seconds from their first byte the first and the last did.
"""
import collections
import json
import select
import socket
import sys
import time

PORT, COUNT, SOURCE = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
HEAD = b"GET /drip HTTP/1.1\r\nHost: t\r\nX-Drip: "
SLOTS = 50
OPENED_PER_SECOND = 800
PATIENCE = 120


class Dripper:
    def __init__(self):
        self.poller = select.epoll()
        self.slots = [set() for _ in range(SLOTS)]
        self.connections = {}
        self.statuses, self.ends, self.ages = collections.Counter(), collections.Counter(), []

    def open(self, number):
        try:
            connection = socket.create_connection(("127.0.0.1", PORT), 10, (SOURCE, 0))
        except OSError:
            self.ends["not connected"] += 1
            return
        connection.setblocking(False)
        descriptor = connection.fileno()
        slot = self.slots[number % SLOTS]
        slot.add(descriptor)
        self.connections[descriptor] = (connection, slot, time.monotonic())
        self.poller.register(descriptor, select.EPOLLIN)
        connection.send(HEAD)

    def drip(self, slot):
        for descriptor in list(self.slots[slot]):
            try:
                self.connections[descriptor][0].send(b"x")
            except OSError:
                self.end(descriptor, "reset")

    def read(self, seconds):
        for descriptor, _ in self.poller.poll(seconds):
            if descriptor not in self.connections:
                continue
            try:
                answer = self.connections[descriptor][0].recv(65536)
            except OSError:
                self.end(descriptor, "reset")
                continue
            if answer:
                self.statuses[answer.split(b" ", 2)[1].decode()] += 1
            else:
                self.end(descriptor, "closed")

    def end(self, descriptor, how):
        connection, slot, began = self.connections.pop(descriptor)
        slot.discard(descriptor)
        self.poller.unregister(descriptor)
        connection.close()
        self.ends[how] += 1
        self.ages.append(time.monotonic() - began)

    def run(self):
        began, turn, opened = time.monotonic(), 0, 0
        while opened < COUNT or self.connections:
            elapsed = time.monotonic() - began
            if elapsed > PATIENCE:
                break
            if opened < COUNT:
                wanted = min(COUNT, int(elapsed * OPENED_PER_SECOND) + 1)
                while opened < wanted:
                    self.open(opened)
                    opened += 1
                if opened == COUNT:
                    print("open", flush=True)
            if elapsed * SLOTS >= turn:
                self.drip(turn % SLOTS)
                turn += 1
            self.read(max(0.0, min(turn / SLOTS - (time.monotonic() - began), 0.02)))
        self.ends["never"] += len(self.connections)
        ages = self.ages or [0.0]
        print(json.dumps({"statuses": self.statuses, "ends": +self.ends, "first": min(ages), "last": max(ages)}), flush=True)


Dripper().run()
