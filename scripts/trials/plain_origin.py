"""An origin that is never the bottleneck: it reads a request and its body, and answers briefly, or with N bytes on /bytes/N.

usage: plain_origin.py PORT
"""
import asyncio
import re
import sys

LARGEST_HEAD = 1 << 17
BRIEF, BLOCK = b"plain\n", bytes(1 << 16)
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
BYTES = re.compile(rb"[A-Z]+ /bytes/(\d+) ")


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = LENGTH.search(head)
            await reader.readexactly(int(length.group(1)) if length else 0)
            size = BYTES.match(head)
            left = int(size.group(1)) if size else len(BRIEF)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % left)
            while left and not head.startswith(b"HEAD "):
                piece = (BLOCK if size else BRIEF)[:left]
                writer.write(piece)
                await writer.drain()
                left -= len(piece)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), backlog=1024, limit=LARGEST_HEAD)
    async with server:
        await server.serve_forever()


asyncio.run(main())
