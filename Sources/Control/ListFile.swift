// Reading a file that lists backends.

internal import Glibc

enum ListFile {
    /// No list of backends is as large.
    static let maximumSize = 1 << 20

    /// All bytes of a regular file.
    static func read(_ path: String) -> Result<[UInt8], ListFailure> {
        // A file that is no regular one must not keep us waiting.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return .failure(.reading()) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return .failure(.reading()) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            return .failure(ListFailure(text: "expected a regular file"))
        }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count < 0 {
                if errno == EINTR { continue }
                return .failure(.reading())
            }
            if count == 0 { return .success(bytes) }
            bytes += piece[..<count]
            guard bytes.count <= maximumSize else {
                return .failure(ListFailure(text: "expected at most \(printSize(maximumSize))"))
            }
        }
    }
}

extension ListFailure {
    /// What the last system call has failed with.
    fileprivate static func reading() -> ListFailure {
        ListFailure(text: "the file cannot be read: \(String(cString: strerror(errno)))")
    }
}
