"""Messages for the differential test: valid ones by the grammar, odd ones that parsers quarrel about, broken ones.

Message number i of a seed is always the same, whatever was made before it.
"""
import random

import vocabulary


class Maker:
    """Makes the messages of one seed."""

    def __init__(self, seed):
        self.seed = seed
        self.random = random.Random()

    def make(self, number):
        """The kind and the bytes of a message: `Q` a request; `G`, `H`, `C` a response to GET, HEAD, CONNECT."""
        self.random.seed(self.seed << 40 | number)
        dice = self.random.random()
        # How odd the grammar's choices are, and how many bytes are broken afterwards.
        if dice < 0.45:
            self.oddity, breaks = 0.0, 0
        elif dice < 0.75:
            self.oddity, breaks = 0.08, 0
        else:
            self.oddity, breaks = 0.02, self.below(3) + 1
        if self.random.random() < 0.55:
            kind, message = b"Q", self.request()
        else:
            kind = self.one_of((b"G", b"G", b"G", b"G", b"G", b"H", b"H", b"C"))
            message = self.response()
        dice = self.random.random()
        if dice < 0.12:
            message += self.request() if kind == b"Q" else self.response()
        elif dice < 0.17:
            message += self.one_of(vocabulary.TAILS)
        elif dice < 0.20:
            message = message[:self.below(len(message) + 1)]
        for _ in range(breaks):
            message = self.broken(message)
        return kind, message

    # Dice.

    def below(self, count):
        return int(self.random.random() * count)

    def one_of(self, choices):
        return choices[int(self.random.random() * len(choices))]

    def chance(self, probability):
        return self.random.random() < probability

    def is_odd(self):
        return self.oddity > 0 and self.random.random() < self.oddity

    def choice(self, usual, odd):
        return self.one_of(odd if self.is_odd() else usual)

    def bytes_of(self, alphabet, most):
        return bytes(self.random.choices(alphabet, k=self.below(most + 1)))

    # The grammar.

    def request(self):
        method = self.choice(vocabulary.METHODS, vocabulary.ODD_METHODS)
        if method == b"OPTIONS" and self.chance(0.4):
            target = b"*"
        elif method == b"CONNECT" and self.chance(0.7):
            target = b"example.org:443"
        elif self.chance(0.3):
            target = b"/" + self.bytes_of(vocabulary.PATH, 24)
        else:
            target = self.choice(vocabulary.TARGETS, vocabulary.ODD_TARGETS)
        version = self.choice(vocabulary.VERSIONS, vocabulary.ODD_VERSIONS)
        gap = self.choice((b" ",), (b"  ", b"\t", b"", b"\x0b", b" \t"))
        start = method + b" " + target + gap + version
        lines = self.field_lines()
        if not self.is_odd():
            host = self.choice(vocabulary.HOSTS, vocabulary.ODD_HOSTS)
            self.add(lines, self.line(self.case(b"Host"), host))
            if self.is_odd():
                self.add(lines, self.line(b"Host", self.one_of(vocabulary.HOSTS)))
        prefix = b""
        if self.is_odd() or self.chance(0.02):
            prefix = self.one_of((b"\r\n", b"\r\n", b"\r\n\r\n", b"\n", b"\r", b" ", b"\r\n ", b"\x00"))
        has_body = self.chance(0.5)
        return prefix + self.assembled(start, lines, has_body)

    def response(self):
        version = self.choice(vocabulary.VERSIONS, vocabulary.ODD_VERSIONS)
        status = self.choice(vocabulary.STATUSES, vocabulary.ODD_STATUSES)
        reason = self.choice(vocabulary.REASONS, vocabulary.ODD_REASONS)
        gap = self.choice((b" ",), (b"  ", b"\t", b"", b"\x0b"))
        start = version + gap + status + (b" " + reason if reason or self.chance(0.5) else b"")
        return self.assembled(start, self.field_lines(), self.chance(0.8))

    def field_lines(self):
        count = self.below(6)
        if self.chance(0.004):
            count = self.one_of((31, 32, 33, 65, 128, 254, 255, 256, 257, 300))
        lines = []
        for _ in range(count):
            if self.is_odd():
                lines.append(self.one_of(vocabulary.ODD_LINES) + self.line_end())
                continue
            name = self.one_of(vocabulary.NAMES) if self.chance(0.9) else b"X" + self.bytes_of(vocabulary.TOKEN, 12)
            value = self.one_of(vocabulary.VALUES) if self.chance(0.8) else self.bytes_of(vocabulary.TEXT, 20)
            lines.append(self.line(name, value))
        if self.chance(0.25):
            options = self.choice(vocabulary.CONNECTIONS, vocabulary.ODD_CONNECTIONS)
            lines.append(self.line(self.case(b"Connection"), options))
        if self.chance(0.05):
            lines.append(self.line(b"Upgrade", self.one_of((b"websocket", b"h2c", b"x", b""))))
        if self.chance(0.03):
            lines.append(self.line(b"Proxy-Connection", self.one_of((b"close", b"keep-alive"))))
        if self.chance(0.0005):
            lines.append(self.line(b"X-Large", b"a" * self.one_of((16_000, 65_000, 65_536, 70_000))))
        return lines

    def line(self, name, value):
        if self.is_odd():
            value += self.one_of(vocabulary.SPLICES)
        before = self.choice(vocabulary.BLANKS, vocabulary.ODD_BLANKS)
        behind = self.choice(vocabulary.TRAILING_BLANKS, vocabulary.ODD_BLANKS)
        return b"".join((name, b":", before, value, behind, self.line_end()))

    def line_end(self):
        return self.one_of(vocabulary.LINE_ENDS) if self.oddity > 0 and self.chance(self.oddity / 4) else b"\r\n"

    def case(self, name):
        dice = self.random.random()
        return name if dice < 0.8 else name.lower() if dice < 0.9 else name.upper()

    def assembled(self, start, lines, has_body):
        """The message with the framing that its body calls for, or with another one."""
        body = b""
        if has_body and self.chance(0.5):
            body = self.body()
            self.add(lines, self.length_line(len(body)))
            if self.is_odd():
                self.add(lines, self.length_line(len(body) + self.one_of((0, 0, 1, -1))))
            if self.is_odd():
                self.add(lines, self.coding_line())
        elif has_body and self.chance(0.8):
            self.add(lines, self.coding_line())
            body = self.chunks()
            if self.is_odd():
                self.add(lines, self.coding_line())
            if self.is_odd():
                self.add(lines, self.length_line(self.one_of((0, 3, len(body)))))
        elif has_body:
            body = self.body()
        return b"".join((start, self.line_end(), *lines, self.line_end(), body))

    def add(self, lines, line):
        lines.insert(self.below(len(lines) + 1), line)

    def length_line(self, length):
        form = self.choice(vocabulary.LENGTHS, vocabulary.ODD_LENGTHS)
        return self.line(self.case(b"Content-Length"), form.replace(b"%d", str(max(0, length)).encode()))

    def coding_line(self):
        return self.line(self.case(b"Transfer-Encoding"), self.choice(vocabulary.CODINGS, vocabulary.ODD_CODINGS))

    def body(self):
        if self.chance(0.1):
            return b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n"
        return self.random.randbytes(self.below(20))

    def chunks(self):
        parts = []
        for _ in range(self.below(4)):
            data = self.body() or b"x"
            size = b"%x" % (len(data) + self.choice((0,), (1, -1, 2, 16)))
            parts += self.size_line(size), data, self.line_end()
        last = self.choice((b"0", b"0", b"0", b"000"), (b"", b"0x0", b"-0", b"00000000000000000", b" 0", b"0 ", b"O"))
        parts.append(self.size_line(last))
        if self.chance(0.2):
            for _ in range(self.below(3) + 1):
                if self.is_odd():
                    parts.append(self.one_of(vocabulary.ODD_LINES) + self.line_end())
                elif self.is_odd():
                    parts.append(self.one_of((self.coding_line, lambda: self.length_line(3)))())
                else:
                    parts.append(self.line(self.one_of(vocabulary.NAMES), self.one_of(vocabulary.VALUES)))
        parts.append(self.line_end())
        return b"".join(parts)

    def size_line(self, size):
        if self.chance(0.2):
            size = size.upper()
        if self.is_odd():
            size = self.one_of(vocabulary.SIZE_PREFIXES) + size
        if self.is_odd():
            size += self.one_of(vocabulary.ODD_EXTENSIONS)
        elif self.chance(0.15):
            size += self.one_of(vocabulary.EXTENSIONS)
        return size + self.line_end()

    # Breaking.

    def broken(self, message):
        """The message with one thing changed that the grammar does not know of."""
        at = self.below(len(message) + 1)
        dice = self.below(14)
        if dice < 3:
            return message[:at] + self.one_of(vocabulary.NASTY) + message[at:]
        if dice < 5:
            return message[:at] + self.one_of(vocabulary.NASTY) + message[at + 1:]
        if dice < 6:
            return message[:at] + message[at + 1 + self.below(3):]
        if dice < 7:
            length = self.below(8) + 1
            return message[:at + length] + message[at:]
        if dice < 8:
            return message[:at] + bytes((self.below(256),)) + message[at + 1:]
        if dice < 9:
            return message[:at] + self.one_of(vocabulary.SPLICES) + message[at:]
        if dice < 11:
            return self.with_broken_line_end(message, at)
        lines = message.split(b"\r\n")
        one, other = self.below(len(lines)), self.below(len(lines))
        if dice < 12:
            lines.insert(other, lines[one])
        elif dice < 13:
            lines[one], lines[other] = lines[other], lines[one]
        else:
            return b"\r\n".join(lines[:one]) + self.one_of(vocabulary.LINE_ENDS) + b"\r\n".join(lines[one:])
        return b"\r\n".join(lines)

    def with_broken_line_end(self, message, at):
        """The message with one byte of a line end lost or replaced, behind an offset if there is one."""
        end = message.find(b"\r\n", at)
        end = message.find(b"\r\n") if end < 0 else end
        if end >= 0:
            end += self.below(2)
            message = message[:end] + self.one_of((b"", *vocabulary.NASTY)) + message[end + 1:]
        return message
