// Writing what the operator has done at run time back into the file of settings.

internal import Glibc

/// Why the file was not written; it is as it was.
public struct SettingsFileError: Error, CustomStringConvertible {
    public let description: String
}

/// The file that `LB_ENV_FILE` names, as it is written.
public enum SettingsFile {
    /// Writes the members of the pool into `LB_BACKENDS`, with the weights and states that the operator has given them.
    ///
    /// Every byte that is not of the value stays as it was, comments included; the file is another one afterwards, in the place of the
    /// former, with its owner and its permissions. Where `LB_BACKENDS` does not stand in the file, a line is added. The running process reads
    /// the file as after any other change, and finds nothing new.
    ///
    /// - Parameters:
    ///   - members: As ``PoolDirector/members`` has them.
    ///   - removed: As ``PoolDirector/removed`` has them.
    ///   - inherited: The value of `LB_BACKENDS` in the environment, which a line of the file takes the place of.
    /// - Returns: What cannot be written.
    /// - Throws: When the file cannot be read or written, or has mistakes, or has changed meanwhile.
    @discardableResult
    public static func write(
        _ members: [MemberReport],
        removed: Set<String>,
        to path: String,
        inherited: String? = nil
    ) throws(SettingsFileError) -> [UnwrittenChange] {
        // Through links, which stay.
        let place = realpath(path, nil).map { pointer in
            defer { free(pointer) }
            return String(cString: pointer)
        }
        guard let place else { throw .system(path) }
        let before = try read(place)
        let (after, unwritten) = try rewritten(before, members, removed: removed, inherited: inherited, path: path)
        if after != before { try replace(place, holding: before, with: after) }
        return unwritten
    }

    /// The bytes of the file with the members in them: a pure function.
    static func rewritten(
        _ bytes: [UInt8],
        _ members: [MemberReport],
        removed: Set<String>,
        inherited: String?,
        path: String
    ) throws(SettingsFileError) -> (bytes: [UInt8], unwritten: [UnwrittenChange]) {
        let file = EnvironmentFile(bytes)
        if let mistake = file.mistakes.first {
            throw SettingsFileError(description: "\(path):\(mistake.line): \(mistake.text)")
        }
        let name = SettingsTable.backends.name
        let former = file[name]
        var list = BackendList(former?.value ?? inherited ?? "")
        let formerValue = list.value
        let unwritten = list.take(members, removed: removed)
        let value = list.value
        guard (try? BackendEntry.parse(entries: listEntries(value))) != nil else {
            throw SettingsFileError(description: "\(path): \(name) would not be read back")
        }
        if value == formerValue { return (bytes, unwritten) }
        return (former.map { file.replacing($0, with: value) } ?? file.adding(name, value), unwritten)
    }

    private static func read(_ path: String) throws(SettingsFileError) -> [UInt8] {
        switch ListFile.read(path) {
        case .success(let bytes): return bytes
        case .failure(let failure): throw SettingsFileError(description: "\(path): \(failure.text)")
        }
    }

    /// Puts another file into the place of one: either is there at any time, and the new one is on the disk before it takes the name.
    private static func replace(_ path: String, holding before: [UInt8], with bytes: [UInt8]) throws(SettingsFileError)
    {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        let folder = path[..<slash].isEmpty ? "/" : String(path[..<slash])
        // Another name each time: what a process has left behind when it was killed is in nobody's way, and in a container all
        // have the same number.
        let temporary = "\(path).\(String(UInt64.random(in: .min ... .max), radix: 36)).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system(temporary) }
        do throws(SettingsFileError) {
            defer { close(descriptor) }
            var status = stat()
            guard stat(path, &status) == 0 else { throw .system(path) }
            // The owner first: to change it takes permissions away. Who may not give a file away may not need to.
            if fchown(descriptor, status.st_uid, status.st_gid) != 0 {
                _ = fchown(descriptor, gid_t.max, status.st_gid)
            }
            guard fchmod(descriptor, status.st_mode & 0o7777) == 0, writeAll(bytes, to: descriptor),
                fsync(descriptor) == 0
            else { throw .system(temporary) }
            // Somebody else may have written it while this was made.
            guard try read(path) == before else {
                throw SettingsFileError(description: "\(path): another change came in between; try again")
            }
            guard rename(temporary, path) == 0 else { throw .system(path) }
        } catch {
            unlink(temporary)
            throw error
        }
        let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if directory >= 0 {
            fsync(directory)
            close(directory)
        }
    }

    private static func writeAll(_ bytes: [UInt8], to descriptor: CInt) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}

extension SettingsFileError {
    /// What the last system call has failed with.
    fileprivate static func system(_ path: String) -> SettingsFileError {
        SettingsFileError(description: "\(path): \(String(cString: strerror(errno)))")
    }
}
