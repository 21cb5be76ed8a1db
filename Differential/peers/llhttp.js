// What llhttp, strict as Node's server and client run it, makes of each message on standard input: verdicts in the form
// of `Sources/verdicts/Judge.swift`.
'use strict';

const fs = require('node:fs');
const { HTTPParser } = require('_http_common');
const { allMethods } = quietly(() => process.binding('http_parser'));

const MAX_HEAD_BYTES = 1 << 20;
const parser = new HTTPParser();
const resource = {};

/** Loads what Node calls deprecated and offers in no other way. */
function quietly(load) {
    process.noDeprecation = true;
    return load();
}

/** Everything that is known of the first message of a connection. */
class Message {
    constructor(kind) {
        this.kind = kind;
        this.head = null;
        this.fields = [];
        this.body = [];
        this.trailers = [];
        this.isComplete = false;
    }

    /** What the client that sent the request knows: 1 says that there is no body, 2 that another protocol follows. */
    get answerToHeadersComplete() {
        if (this.kind === 'H') return 1;
        return this.kind === 'C' && this.head.status >= 200 && this.head.status < 300 ? 2 : 0;
    }
}

let message;

parser[HTTPParser.kOnHeaders] = (lines, target) => {
    if (message.isComplete) return;
    if (message.head) {
        message.trailers.push(...lines);
    } else {
        // The first of more lines than Node hands over at once; the target comes with them.
        message.fields.push(...lines);
        if (target) message.target = target;
    }
};
parser[HTTPParser.kOnHeadersComplete] = (major, minor, lines, method, target, status, reason, isUpgrade, isKept) => {
    if (message.isComplete) return 0;
    if (lines) message.fields.push(...lines);
    const isRequest = message.kind === 'Q';
    message.head = {
        isKept,
        version: major === 1 ? Math.min(minor, 1) : 16 * major + minor,
        status: isRequest ? 0 : status,
        first: isRequest ? allMethods[method] : reason,
        second: isRequest ? message.target ?? target : '',
    };
    return message.answerToHeadersComplete;
};
parser[HTTPParser.kOnBody] = (bytes) => {
    if (!message.isComplete) message.body.push(Buffer.from(bytes));
};
parser[HTTPParser.kOnMessageComplete] = () => {
    message.isComplete = true;
};

/** Feeds bytes to the parser as if it were new; `undefined` or the error. */
function parse(kind, bytes) {
    message = new Message(kind);
    parser.initialize(kind === 'Q' ? HTTPParser.REQUEST : HTTPParser.RESPONSE, resource, MAX_HEAD_BYTES,
        HTTPParser.kLenientNone);
    const result = parser.execute(bytes);
    if (result instanceof Error) return result;
    // Node keeps the errors of a message that asks for another protocol to itself, but not where they are.
    if (result === bytes.length || message.isComplete) return undefined;
    return { code: 'HPE', reason: `stopped at byte ${result}` };
}

/** The fewest bytes that make the message complete: Node does not tell where a message ended. */
function endOfMessage(kind, bytes) {
    let incomplete = 0;
    let complete = bytes.length;
    for (let middle = complete - 1; complete - incomplete > 1; middle = (incomplete + complete) >> 1) {
        parse(kind, bytes.subarray(0, middle));
        if (message.isComplete) complete = middle;
        else incomplete = middle;
    }
    return complete;
}

const output = { bytes: Buffer.alloc(1 << 24), end: 0 };

function reserve(count) {
    if (output.end + count <= output.bytes.length) return;
    const larger = Buffer.alloc(2 * (output.end + count));
    output.bytes.copy(larger, 0, 0, output.end);
    output.bytes = larger;
}

function putNumber(value) {
    reserve(4);
    output.end = output.bytes.writeUInt32LE(value, output.end);
}

/** A text whose characters are bytes. */
function putText(text) {
    reserve(text.length);
    output.end += output.bytes.latin1Write(text, output.end);
}

function putCounted(text) {
    putNumber(text.length);
    putText(text);
}

function putLines(lines) {
    putNumber(lines.length / 2);
    for (const text of lines) putCounted(text);
}

function putVerdict(kind, bytes) {
    const error = parse(kind, bytes);
    let isIncomplete = false;
    let endsWithConnection = false;
    if (!message.isComplete && !error) {
        const isCut = parser.finish() instanceof Error;
        isIncomplete = isCut || !message.isComplete;
        endsWithConnection = message.isComplete;
    }
    if (isIncomplete) return putText('I');
    if (!message.isComplete) return putText(`R${error.code}: ${error.reason}`);
    const { head, fields, body, trailers } = message;
    const consumed = endsWithConnection ? bytes.length : endOfMessage(kind, bytes);
    putText('A');
    putNumber(head.isKept ? 1 : 0);
    putNumber(head.version);
    putNumber(head.status);
    putNumber(consumed);
    putCounted(head.first);
    putCounted(head.second);
    putLines(fields);
    putCounted(Buffer.concat(body).latin1Slice());
    putLines(trailers);
}

const input = fs.readFileSync(0);
for (let position = 0; position < input.length;) {
    const kind = String.fromCharCode(input[position]);
    const start = position + 5;
    position = start + input.readUInt32LE(position + 1);
    const frame = output.end;
    putNumber(0);
    putVerdict(kind, input.subarray(start, position));
    output.bytes.writeUInt32LE(output.end - frame - 4, frame);
}
for (let position = 0; position < output.end;) {
    position += fs.writeSync(1, output.bytes, position, output.end - position);
}
