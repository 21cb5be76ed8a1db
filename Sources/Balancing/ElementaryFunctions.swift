// The logarithm and the exponential function, so that a choice is the same whatever mathematical library a machine has.

/// The natural logarithm of a normal number above 0, to about 13 digits.
func logarithm(_ number: Double) -> Double {
    var exponent = Double(number.exponent)
    var fraction = number.significand
    // From [1, 2) to where the series is short.
    if fraction > 2.0.squareRoot() {
        fraction /= 2
        exponent += 1
    }
    // ln f = 2 artanh z, as a series in z².
    let z = (fraction - 1) / (fraction + 1)
    let square = z * z
    var sum = 0.0
    for divisor in stride(from: 17.0, through: 1, by: -2) { sum = sum * square + 1 / divisor }
    return exponent * 0.693_147_180_559_945_3 + 2 * z * sum
}

/// e to the power of -`number`, for numbers from 0 on, to about 13 digits.
func decay(_ number: Double) -> Double {
    // Less than 2⁻¹⁰⁰⁰: as good as nothing, and the exponent stays within range.
    guard number < 690 else { return 0 }
    let halvings = (number * 1.442_695_040_888_963_4).rounded()
    let rest = halvings * 0.693_147_180_559_945_3 - number
    var sum = 1.0
    for divisor in stride(from: 12.0, through: 1, by: -1) { sum = 1 + sum * rest / divisor }
    return Double(sign: .plus, exponent: -Int(halvings), significand: sum)
}
