// What the kernel knows about this process.

internal import Glibc

/// The process as a whole.
public struct ProcessStats: Sendable, Codable, Equatable {
    /// Processor time used, user and system together, in seconds.
    public var cpuSeconds: Double
    public var residentBytes: UInt64
    public var virtualBytes: UInt64
    public var openDescriptors: Int
    public var maximumDescriptors: UInt64
    public var threads: Int
    /// When the process began, in seconds since 1970.
    public var startTime: Double
    /// How long ago that is, in seconds.
    public var uptime: Double

    /// Reads what the kernel says now; what it does not say is 0.
    ///
    /// Not for a worker: it reads files of /proc.
    public static func now() -> ProcessStats {
        let ticks = Double(max(1, sysconf(CInt(_SC_CLK_TCK))))
        let page = UInt64(max(1, sysconf(CInt(_SC_PAGESIZE))))
        // Behind the name, which may hold anything: fields 3 and on of proc(5)'s stat.
        let stat = read("/proc/self/stat")
        let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ").dropFirst()
            .map { Double($0) ?? 0 }
        func field(_ number: Int) -> Double { fields.indices.contains(number - 3) ? fields[number - 3] : 0 }
        let age = (Double(read("/proc/uptime").prefix { $0 != " " }) ?? 0) - field(22) / ticks

        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return ProcessStats(
            cpuSeconds: (field(14) + field(15)) / ticks,
            residentBytes: UInt64(field(24)) * page,
            virtualBytes: UInt64(field(23)),
            openDescriptors: countEntries("/proc/self/fd"),
            maximumDescriptors: UInt64(limit.rlim_cur),
            threads: Int(field(20)),
            startTime: realTime() - age,
            uptime: max(0, age)
        )
    }

    /// The time of day in seconds since 1970.
    static func realTime() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    /// A short file's text; empty when it cannot be read.
    private static func read(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : ""
    }

    /// How many entries a directory has, but for the one that reading it adds.
    private static func countEntries(_ path: String) -> Int {
        guard let directory = opendir(path) else { return 0 }
        defer { closedir(directory) }
        var count = 0
        while let entry = readdir(directory) {
            // The first character of d_name.
            if entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 }
        }
        return max(0, count - 1)
    }
}
