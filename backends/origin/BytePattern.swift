// The bytes of `/bytes/N`: byte number i is i modulo 251.

import FlyingSocks

/// `count` bytes of the pattern, made from one block that all answers share.
///
/// 251 is the largest prime below 256: no buffer size divides it, so a lost, doubled or swapped piece changes the hash.
struct BytePattern: AsyncBufferedSequence {
    typealias Element = UInt8

    /// A whole number of periods, as near to 64 KiB as that gets: each block starts with 0.
    static let block = [UInt8]((0..<period * 261).map { UInt8($0 % period) })

    private static let period = 251

    let count: Int

    func makeAsyncIterator() -> Iterator {
        Iterator(remaining: count)
    }

    struct Iterator: AsyncBufferedIteratorProtocol {
        fileprivate var remaining: Int

        mutating func next() async throws -> UInt8? {
            preconditionFailure("FlyingFox reads body sequences by the buffer")
        }

        /// Ask for the block's size, each time.
        mutating func nextBuffer(suggested: Int) async throws -> [UInt8]? {
            precondition(suggested >= block.count)
            guard remaining > 0 else { return nil }
            let piece = remaining < block.count ? Array(block.prefix(remaining)) : block
            remaining -= piece.count
            return piece
        }
    }
}
