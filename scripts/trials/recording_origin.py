#!/usr/bin/env python3
"""An origin that writes down each request it has read whole, so that a trial can count them after a kill -9.

usage: recording_origin.py PORT FILE [DELAY_MS]
"""
import asyncio
import os
import sys

PORT, RECORD = int(sys.argv[1]), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
DELAY = float(sys.argv[3]) / 1000 if len(sys.argv) > 3 else 0.0


async def serve(reader, writer):
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *fields = head.split("\r\n")
            values = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
            body = await reader.readexactly(int(values.get("content-length", 0)))
            os.write(RECORD, f"{line.split()[0]} {body.decode() or '-'}\n".encode())
            if DELAY:
                await asyncio.sleep(DELAY)
            answer = f"{PORT}\n".encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", PORT, backlog=1024)
    async with server:
        await server.serve_forever()


asyncio.run(main())
