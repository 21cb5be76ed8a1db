"""A WebSocket server that says its port, then sends every message back, in the fragments that it came in.

usage: websocket_echo.py PORT   (with Python's library "websockets")

On the path /ping it first pings the client, and says so when that has answered.
"""
import asyncio
import sys

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

PORT = int(sys.argv[1])


async def echo(connection):
    try:
        await connection.send(str(PORT))
        if connection.request.path == "/ping":
            await (await connection.ping(b"are you there?"))
            await connection.send("answered")
        while True:
            await connection.send(connection.recv_streaming())
    except ConnectionClosed:
        pass


async def main():
    async with serve(echo, "127.0.0.1", PORT, max_size=None, ping_interval=None, backlog=1024) as server:
        await server.serve_forever()


asyncio.run(main())
