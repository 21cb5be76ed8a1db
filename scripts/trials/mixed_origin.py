"""An origin for everything at once: answers, event streams and WebSockets.

usage: mixed_origin.py PORT

GET / answers with a few bytes, GET /stream sends an event every 200 ms, and a WebSocket is told the port and gets each text back.
"""
import asyncio
import base64
import hashlib
import sys

PORT = int(sys.argv[1])
# RFC 6455 section 1.3.
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n%d\n" % PORT


def frame(payload, code=0x81):
    """A whole frame of a short text (RFC 6455 section 5.2)."""
    return bytes([code, len(payload)]) + payload


async def echo(reader, writer, key):
    accepted = base64.b64encode(hashlib.sha1(key + GUID).digest())
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n" % accepted
    )
    writer.write(frame(b"%d" % PORT))
    while True:
        first, length = await reader.readexactly(2)
        mask = await reader.readexactly(4)
        payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(await reader.readexactly(length & 0x7F)))
        writer.write(frame(payload, first))
        if first == 0x88:
            return


async def stream(writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
    while True:
        writer.write(b"data: %d\n\n" % PORT)
        await writer.drain()
        await asyncio.sleep(0.2)


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            fields = {
                name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])
            }
            if b"sec-websocket-key" in fields:
                await echo(reader, writer, fields[b"sec-websocket-key"])
                return
            if head.startswith(b"GET /stream"):
                await stream(writer)
            writer.write(ANSWER)
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def main():
    async with await asyncio.start_server(serve, "127.0.0.1", PORT, backlog=1024) as server:
        await server.serve_forever()


asyncio.run(main())
