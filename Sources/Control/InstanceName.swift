// What a balancer calls itself when nobody says.

import Front
import Glibc

/// The default of `LB_NAME`.
enum InstanceName {
    static let product = "curl-lb"

    /// A name that balancers in a row do not share, and that stays the same over restarts: the product's name and eight digits.
    ///
    /// Shared names would make a chain of balancers look like a loop. The digits are the FNV-1a hash of the host's name and the
    /// addresses listened on, since two may run on one host.
    static func derived(from addresses: [ListenAddress], host: String = hostName) -> String {
        var hash: UInt32 = 0x811C_9DC5
        for byte in ([host] + addresses.map(\.description)).joined(separator: "\n").utf8 {
            hash = (hash ^ UInt32(byte)) &* 0x0100_0193
        }
        let digits = String(hash, radix: 16)
        return "\(product)-\(String(repeating: "0", count: 8 - digits.count))\(digits)"
    }

    /// What this machine calls itself; empty when it does not say.
    static var hostName: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { name in
            guard let start = name.baseAddress, gethostname(start, name.count) == 0 else { return "" }
            name[name.count - 1] = 0
            return String(cString: start)
        }
    }
}
