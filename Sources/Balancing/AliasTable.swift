// Draws a position by its weight in the same time however many there are.

/// An alias table (Walker 1977, built as by Vose 1991).
struct AliasTable: Sendable {
    /// One of as many columns as there are positions: below the threshold it is its own, above it is another one's.
    private struct Column {
        var threshold: UInt64
        var alias: UInt32
    }

    private var columns: [Column]

    /// Whether there is nothing to draw.
    var isEmpty: Bool { columns.isEmpty }

    /// - Parameter weights: Each above 0.
    init(_ weights: [Int]) {
        columns = weights.indices.map { Column(threshold: .max, alias: UInt32($0)) }
        let total = Double(weights.reduce(0, +))
        // What each has, in columns.
        var shares = weights.map { Double($0) * Double(weights.count) / total }
        var poor = shares.indices.filter { shares[$0] < 1 }
        var rich = shares.indices.filter { shares[$0] >= 1 }
        while let position = poor.popLast(), let giver = rich.last {
            // 2⁶⁴ itself is out of range, and rounding can reach it.
            columns[position].threshold = UInt64(exactly: (shares[position] * 0x1p64).rounded(.down)) ?? .max
            columns[position].alias = UInt32(giver)
            shares[giver] -= 1 - shares[position]
            if shares[giver] < 1 {
                rich.removeLast()
                poor.append(giver)
            }
        }
    }

    /// A position; the table is not empty.
    func draw(_ random: inout SplitMix) -> Int {
        // The product's upper half chooses the column, what is left over the place in it.
        let product = random.next().multipliedFullWidth(by: UInt64(columns.count))
        let column = columns[Int(product.high)]
        return product.low < column.threshold ? Int(product.high) : Int(column.alias)
    }
}
