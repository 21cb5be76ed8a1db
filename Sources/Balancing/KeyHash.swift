// Hashes of keys: the same in every process, so that balancers in a group send a key to the same backend.

/// 64 bits that stand for the bytes of a key.
public enum KeyHash {
    /// FNV-1a, mixed afterwards, since its own high bits hardly differ between short keys.
    public static func of(_ bytes: Span<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in bytes.indices { hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01B3 }
        return mixed(hash)
    }

    /// The finalizer of MurmurHash3: every bit of the input changes half of the output's.
    static func mixed(_ bits: UInt64) -> UInt64 {
        var bits = bits
        bits = (bits ^ (bits >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        bits = (bits ^ (bits >> 33)) &* 0xC4CE_B9FE_1A85_EC53
        return bits ^ (bits >> 33)
    }
}
