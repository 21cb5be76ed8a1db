#!/usr/bin/env python3
"""An origin that breaks off at chosen points of a request, or dies of it; it writes down each POST that it has received whole.

usage: mortal_origin.py PORT FILE SEED
"""
import asyncio
import os
import random
import sys

PORT, RECORD = int(sys.argv[1]), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
CHANCE = random.Random(int(sys.argv[3]))
# In ten thousand requests: how often it breaks off at each point, and how often it dies there.
POINTS = ("before", "head", "body", "whole", "response")
BREAKS, DEATHS = 80, 4


def fate():
    """Where this request is broken off, if it is, and whether the whole process ends there."""
    draw = CHANCE.randrange(10_000)
    for index, point in enumerate(POINTS):
        if draw < (index + 1) * (BREAKS + DEATHS):
            return point, draw >= index * (BREAKS + DEATHS) + BREAKS
    return None, False


def end(writer, dies):
    if dies:
        os._exit(9)
    if CHANCE.random() < 0.5:
        writer.transport.abort()
    raise ConnectionError("broken off")


async def serve(reader, writer):
    try:
        while True:
            # A request is on its way, but none of it is read.
            first = await reader.readexactly(1)
            point, dies = fate()
            if point == "before":
                end(writer, dies)
            head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            if point == "head":
                end(writer, dies)
            values = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            length = int(values["content-length"])
            if point == "body":
                await reader.readexactly(length // 2)
                end(writer, dies)
            body = await reader.readexactly(length)
            identifier = body.split(b" ", 1)[0].decode()
            os.write(RECORD, f"{identifier}\n".encode())
            if point == "whole":
                end(writer, dies)
            answer = f"{identifier} done\n".encode()
            message = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer)
            if point == "response":
                writer.write(message[: CHANCE.randrange(1, len(message))])
                await writer.drain()
                end(writer, dies)
            writer.write(message)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", PORT, backlog=1024, limit=1 << 18)
    async with server:
        await server.serve_forever()


asyncio.run(main())
