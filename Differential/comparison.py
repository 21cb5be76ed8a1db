"""Two verdicts side by side, and the list of the disagreements that are meant."""
import re
import struct
import tomllib

WORDS = {b"A": "accepted", b"R": "refused", b"I": "incomplete"}
#: Stands for "kept or not" in the verdict of a parser that does not tell.
NOT_TOLD = 2


class Verdict:
    """What one parser made of one message."""

    def __init__(self, frame):
        self.word = WORDS[frame[:1]]
        self.reason = frame[1:].decode("latin-1") if self.word == "refused" else ""
        self.parts = {}
        if self.word == "accepted":
            self.read(frame)

    def read(self, frame):
        kept, version, status, end = struct.unpack_from("<IIII", frame, 1)
        self.position = 17
        self.parts = {"kept": kept, "version": version, "status": status, "end": end}
        self.parts["method or reason"] = self.text(frame)
        self.parts["target"] = self.text(frame)
        self.parts["fields"] = self.lines(frame)
        self.parts["body"] = self.text(frame)
        self.parts["trailers"] = self.lines(frame)

    def number(self, frame):
        self.position += 4
        return struct.unpack_from("<I", frame, self.position - 4)[0]

    def text(self, frame):
        length = self.number(frame)
        self.position += length
        return frame[self.position - length:self.position]

    def lines(self, frame):
        return [(self.text(frame), self.text(frame)) for _ in range(self.number(frame))]

    def differences(self, other):
        """The names of the parts in which two accepted messages differ."""
        return {
            name for name, value in self.parts.items()
            if other.parts[name] != value and not (name == "kept" and NOT_TOLD in (value, other.parts[name]))
        }

    def __str__(self):
        if self.word == "accepted":
            return "accepted " + ", ".join(f"{name} {value!r}" for name, value in self.parts.items())
        return f"{self.word} {self.reason}".rstrip()


def framing_fields_rewritten(_, ours, theirs):
    """Whether the field lines are the same but for one Content-Length given for several, and codings in lower case."""
    def rewritten(lines):
        result, has_length = [], False
        for name, value in lines:
            if name.lower() == b"content-length":
                if has_length:
                    continue
                has_length, value = True, value.split(b",")[0].strip(b" \t")
            elif name.lower() == b"transfer-encoding":
                value = value.lower()
            result.append((name, value))
        return result

    return all(rewritten(ours.parts[part]) == rewritten(theirs.parts[part]) for part in ("fields", "trailers"))


def lengths_agree(head, _, __):
    """Whether every Content-Length of a head says the same."""
    values = re.findall(rb"\r\ncontent-length:([^\r\n]*)(?=\r\n)", head, re.IGNORECASE)
    members = [member.strip(b" \t") for value in values for member in value.split(b",")]
    return all(member.isdigit() for member in members) and len(set(map(int, members))) == 1


PREDICATES = {"framing_fields_rewritten": framing_fields_rewritten, "lengths_agree": lengths_agree}
KEYS = {
    "because", "peers", "kinds", "ours", "reasons", "theirs", "their_reason", "head", "body", "differs", "kept",
    "predicate",
}
END_OF_HEAD = b"\r\n\r\n"


def parted(message):
    """The head with its empty line, as far as it goes, and the rest; empty lines in front belong to the head."""
    start = len(message) - len(message.lstrip(b"\r\n"))
    end = message.find(END_OF_HEAD, start)
    end = len(message) if end < 0 else end + len(END_OF_HEAD)
    return message[:end], message[end:]


def pattern(text):
    """A regular expression over bytes, in which `.` is any byte and letters have no case."""
    return re.compile(text.encode("latin-1"), re.DOTALL | re.IGNORECASE)


class Entry:
    """A disagreement that is meant: what it looks like, and why."""

    def __init__(self, table, number):
        unknown = table.keys() - KEYS
        if unknown or not table.get("because"):
            raise SystemExit(f"allowed.toml, entry {number}: {unknown or 'no reason'}")
        self.table = table
        self.counts = dict.fromkeys(table["peers"], 0)
        self.ours, self.theirs = table["ours"], table["theirs"]
        self.reasons = set(table.get("reasons", ()))
        self.their_reason = re.compile(table.get("their_reason", ""))
        self.head = pattern(table.get("head", ""))
        self.body = pattern(table.get("body", ""))
        self.kinds = table.get("kinds", "QGHC").encode()
        self.differs = set(table.get("differs", ()))
        self.kept = table.get("kept")
        self.predicate = PREDICATES[table["predicate"]] if "predicate" in table else None

    def matches(self, peer, kind, message, ours, theirs):
        if ours.word not in self.ours or theirs.word not in self.theirs:
            return False
        if peer not in self.counts or kind not in self.kinds or (self.reasons and ours.reason not in self.reasons):
            return False
        head, body = parted(message)
        return bool(
            self.their_reason.search(theirs.reason) and self.head.search(head) and self.body.search(body)
            and (self.kept is None or self.kept == [ours.parts["kept"], theirs.parts["kept"]])
            and (self.predicate is None or self.predicate(head, ours, theirs))
        )

    def __str__(self):
        return f"ours {' or '.join(self.ours)}, theirs {' or '.join(self.theirs)}: {self.table['because']}"


class AllowedList:
    """The entries of `allowed.toml`."""

    def __init__(self, path):
        with open(path, "rb") as file:
            tables = tomllib.load(file)["allowed"]
        self.entries = [Entry(table, number) for number, table in enumerate(tables, 1)]

    def allows(self, peer, kind, message, ours, theirs, differences):
        """Whether this disagreement is meant: an entry allows it, or where both accept, one for each difference."""
        rest = set(differences)
        for entry in self.entries:
            if differences and not rest & entry.differs:
                continue
            if entry.matches(peer, kind, message, ours, theirs):
                entry.counts[peer] += 1
                rest -= entry.differs
                if not rest:
                    return True
        return False


ALIKE, REFUSED = "accepted by both, alike", "refused by both"


class Tally:
    """How two parsers agreed on all messages of a run."""

    def __init__(self, peer, allowed):
        self.peer, self.allowed = peer, allowed
        self.counts = dict.fromkeys(
            (ALIKE, "accepted by both, a listed difference", REFUSED, "cut short for both", "ours stricter",
             "ours more lenient", "ours undecided", "not listed"), 0)
        self.surprises = {}

    def compare(self, number, kind, message, frame, their_frame):
        first = frame[:1]
        if first == b"R" and their_frame[:1] == b"R":
            return self.count(REFUSED)
        if frame == their_frame:
            return self.count(ALIKE if first == b"A" else "cut short for both")
        ours, theirs = Verdict(frame), Verdict(their_frame)
        differences = set()
        if ours.word == theirs.word == "accepted":
            differences = ours.differences(theirs)
            if not differences:
                return self.count(ALIKE)
        if self.allowed.allows(self.peer, kind, message, ours, theirs, differences):
            return self.count(self.share(ours, theirs))
        self.count("not listed")
        sign = ours.word, ours.reason, theirs.word, theirs.reason[:24], tuple(sorted(differences))
        self.surprises.setdefault(sign, []).append((number, kind, message, ours, theirs))

    def share(self, ours, theirs):
        if ours.word == theirs.word:
            return "accepted by both, a listed difference"
        if ours.word == "refused":
            return "ours stricter"
        return "ours more lenient" if ours.word == "accepted" else "ours undecided"

    def count(self, share):
        self.counts[share] += 1
