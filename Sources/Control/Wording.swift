// Words for messages: quoting without control characters, lists of alternatives, and the nearest known name.

/// The text with control characters, quotes and backslashes escaped, so that a message stays on its line.
func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\\": result += "\\\\"
        case "\"": result += "\\\""
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        default:
            if isPrintable(scalar) {
                result.unicodeScalars.append(scalar)
            } else {
                result += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
            }
        }
    }
    return result
}

/// The text escaped, between quotes, and cut after 200 characters.
func quoted(_ text: String) -> String {
    let limit = 200
    return text.count > limit ? "\"\(escaped(String(text.prefix(limit))))…\"" : "\"\(escaped(text))\""
}

/// The text with what no terminal shows as itself escaped, and nothing else: escaped twice it is the same.
func printable(_ text: String) -> String {
    guard !text.unicodeScalars.allSatisfy(isPrintable) else { return text }
    return text.unicodeScalars.map { scalar in
        isPrintable(scalar) ? String(scalar) : "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
    }.joined()
}

/// Whether a terminal shows the scalar as itself: no control, no formatting such as a change of writing direction.
private func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
    default: true
    }
}

/// `a, b or c`.
func alternatives(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " or " + last
}

/// `; did you mean …?` when a known name is near, else nothing.
func suggestion(for name: String, among known: [String]) -> String {
    nearestName(to: name, among: known).map { "; did you mean \($0)?" } ?? ""
}

/// The known name that takes the fewest edits to reach, case aside; nil when all are farther than half of either.
///
/// Of equally near names the first wins.
///
/// - Parameter prefix: How many characters at the beginning all names share, which says nothing.
func nearestName(to name: String, among known: [String], ignoring prefix: Int = 0) -> String? {
    // No known name is near such a long one, and the comparison costs the product of the lengths.
    guard name.count <= 64 else { return nil }
    let nearest =
        known
        .map { (name: $0, distance: editDistance(name.uppercased(), $0.uppercased())) }
        .filter { $0.distance <= max(1, min(name.count, $0.name.count - prefix) / 2) }
        .min { $0.distance < $1.distance }
    return nearest?.name
}

/// The number of insertions, deletions, replacements and swaps of neighbours between two texts.
func editDistance(_ first: String, _ second: String) -> Int {
    let (a, b) = (Array(first), Array(second))
    guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in 1...a.count {
        var row = [i]
        for j in 1...b.count {
            var distance = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
            if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                distance = min(distance, beforeLast[j - 2] + 1)
            }
            row.append(distance)
        }
        (beforeLast, last) = (last, row)
    }
    return last[b.count]
}
