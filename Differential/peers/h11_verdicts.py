"""What h11 makes of each message on standard input: verdicts in the form of `Sources/verdicts/Judge.swift`."""
import struct
import sys

import h11

MAX_EVENT_BYTES = 1 << 20
METHODS = {b"G": "GET", b"H": "HEAD", b"C": "CONNECT"}
#: The client offers another protocol, so that a 101 is an answer.
OFFER = [("Host", "x"), ("Connection", "Upgrade"), ("Upgrade", "x")]
#: Stands for "kept or not" where h11 does not say it.
NOT_TOLD = 2


def connection(kind):
    """A connection that waits for the message."""
    if kind == b"Q":
        return h11.Connection(h11.SERVER, MAX_EVENT_BYTES)
    peer = h11.Connection(h11.CLIENT, MAX_EVENT_BYTES)
    target = "x:1" if kind == b"C" else "/"
    peer.send(h11.Request(method=METHODS[kind], target=target, headers=OFFER))
    peer.send(h11.EndOfMessage())
    return peer


def counted(text):
    return struct.pack("<I", len(text)) + text


def lines(fields):
    parts = [struct.pack("<I", len(fields))]
    for name, value in fields:
        parts += counted(name), counted(value)
    return b"".join(parts)


def version(text):
    """0 for 1.0, 1 for 1.1 and any later minor version, and another number for what is not HTTP/1."""
    major, minor = text.split(b".")
    return min(int(minor), 1) if major == b"1" else 16 * int(major) + int(minor)


def verdict(kind, message):
    peer = connection(kind)
    head, body, trailers, is_kept = None, [], [], NOT_TOLD
    rest = b""
    try:
        peer.receive_data(message)
        is_ended = False
        while True:
            event = peer.next_event()
            if event is h11.NEED_DATA:
                if is_ended:
                    return b"I"
                peer.receive_data(b"")
                is_ended = True
            elif isinstance(event, (h11.Request, h11.Response)):
                head = event
            elif isinstance(event, h11.InformationalResponse):
                head = event
                rest = peer.trailing_data[0]
                break
            elif isinstance(event, h11.Data):
                body.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                trailers = event.headers.raw_items()
                # A wish for another protocol hides a wish to close.
                if peer.their_state is not h11.MIGHT_SWITCH_PROTOCOL:
                    is_kept = int(not is_ended and peer.their_state is h11.DONE)
                rest = peer.trailing_data[0]
                break
            elif event is h11.PAUSED:
                # A tunnel: what follows the head is another protocol.
                is_kept = 0
                rest = peer.trailing_data[0]
                break
            else:
                return b"I"
    except h11.RemoteProtocolError as error:
        # A body or a head that the end cuts is an error to h11, too.
        return b"I" if is_ended else b"R" + str(error).encode("latin-1", "replace")
    if kind == b"Q":
        status, first, second = 0, head.method, head.target
    else:
        status, first, second = head.status_code, head.reason, b""
    numbers = struct.pack("<IIII", is_kept, version(head.http_version), status, len(message) - len(rest))
    return b"".join(
        (b"A", numbers, counted(first), counted(second), lines(head.headers.raw_items()), counted(b"".join(body)),
         lines(trailers))
    )


def main():
    source = sys.stdin.buffer.read()
    position, verdicts = 0, []
    while position < len(source):
        kind = source[position:position + 1]
        start = position + 5
        position = start + struct.unpack_from("<I", source, position + 1)[0]
        verdicts.append(counted(verdict(kind, source[start:position])))
    sys.stdout.buffer.write(b"".join(verdicts))


main()
