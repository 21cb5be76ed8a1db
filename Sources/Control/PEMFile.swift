// What a PEM file holds, as far as a check before the start can tell (RFC 7468).

import Foundation

/// A file with certificates or keys between `-----BEGIN …-----` and `-----END …-----`.
enum PEMFile {
    enum Problem {
        /// Nothing of that sort is in it, or it cannot be read.
        case absent
        /// A key that needs a passphrase, which nobody could be asked for.
        case encrypted
    }

    /// No certificate chain is as large.
    private static let maximumSize = 1 << 20

    /// What keeps a file from being of use where something of this sort is needed; nil when nothing does.
    ///
    /// - Parameter word: `CERTIFICATE` or `PRIVATE KEY`, which also stands for keys of one algorithm (`EC PRIVATE KEY`).
    static func problem(of path: String, lacking word: String) -> Problem? {
        guard let handle = FileHandle(forReadingAtPath: path),
            let data = try? handle.read(upToCount: maximumSize)
        else { return .absent }
        let lines = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline)
        let starts = lines.filter { $0.hasPrefix("-----BEGIN ") && $0.contains("\(word)-----") }
        if starts.isEmpty { return .absent }
        // In the newer form (PKCS #8) and in the older one (RFC 1421).
        let isEncrypted = starts.contains { $0.contains("ENCRYPTED") } || lines.contains("Proc-Type: 4,ENCRYPTED")
        return isEncrypted ? .encrypted : nil
    }
}
