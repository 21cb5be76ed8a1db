// The logarithm and the exponential function, so that a choice is the same whatever mathematical library a machine has.

private let logarithmOfTwo = 0.693_147_180_559_945_3

/// The natural logarithm of a normal number above 0, to about 13 digits.
func logarithm(_ number: Double) -> Double {
    var exponent = Int(number.bitPattern >> 52) - 1023
    var fraction = Double(bitPattern: number.bitPattern & (1 << 52 - 1) | 1023 << 52)
    // From [1, 2) to where the series is short.
    if fraction > 1.414_213_562_373_095_1 {
        fraction /= 2
        exponent += 1
    }
    // ln f = 2 artanh z = 2 (z + z³/3 + z⁵/5 + …)
    let z = (fraction - 1) / (fraction + 1)
    let square = z * z
    var sum = 1.0 / 17
    sum = sum * square + 1.0 / 15
    sum = sum * square + 1.0 / 13
    sum = sum * square + 1.0 / 11
    sum = sum * square + 1.0 / 9
    sum = sum * square + 1.0 / 7
    sum = sum * square + 1.0 / 5
    sum = sum * square + 1.0 / 3
    sum = sum * square + 1
    return Double(exponent) * logarithmOfTwo + 2 * z * sum
}

/// e to the power of -`number`, for numbers from 0 on, to about 13 digits.
func decay(_ number: Double) -> Double {
    // Less than 2⁻⁹⁹⁵: as good as nothing, and the exponent stays within range.
    guard number < 690 else { return 0 }
    let halvings = Int(number / logarithmOfTwo + 0.5)
    let rest = Double(halvings) * logarithmOfTwo - number
    // eʳ = 1 + r (1 + r/2 (1 + r/3 (…)))
    var sum = 1 + rest / 12
    sum = 1 + sum * rest * (1.0 / 11)
    sum = 1 + sum * rest * (1.0 / 10)
    sum = 1 + sum * rest * (1.0 / 9)
    sum = 1 + sum * rest * (1.0 / 8)
    sum = 1 + sum * rest * (1.0 / 7)
    sum = 1 + sum * rest * (1.0 / 6)
    sum = 1 + sum * rest * (1.0 / 5)
    sum = 1 + sum * rest * (1.0 / 4)
    sum = 1 + sum * rest * (1.0 / 3)
    sum = 1 + sum * rest * (1.0 / 2)
    sum = 1 + sum * rest
    return sum * Double(bitPattern: UInt64(1023 - halvings) << 52)
}
