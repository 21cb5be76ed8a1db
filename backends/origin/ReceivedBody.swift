// A request's body, read to its end in small pieces: what is left is its length and its hash.

import Crypto
import FlyingFox

struct ReceivedBody {
    private(set) var length = 0

    /// Lower-case hexadecimal; nil when nobody asked for it.
    private(set) var sha256: String?

    /// Reads the whole body, whoever asks.
    ///
    /// FlyingFox leaves what a handler did not read on the connection and takes it for the next request, so every
    /// route reads the body through here, and only here.
    init(reading body: HTTPBodySequence, hashing: Bool) async throws {
        var hash = SHA256()
        for try await piece in body {
            length += piece.count
            if hashing {
                hash.update(data: piece)
            }
        }
        if hashing {
            sha256 = hash.finalize().map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
        }
    }
}
