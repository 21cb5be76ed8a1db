// How long things take: distributions of times, in seconds.

internal import Glibc

/// A distribution of times, in seconds.
public enum Distribution: Sendable {
    case constant(Double)
    case exponential(mean: Double)
    /// As times of real services often are: the logarithm is normally distributed, with this deviation.
    case lognormal(mean: Double, deviation: Double)
    /// Heavy-tailed, between a least and a greatest time: the density falls with the power of -(shape + 1).
    case pareto(shape: Double, least: Double, greatest: Double)

    public var mean: Double { moment(1) }

    /// The mean of the square, which waiting times depend on (Pollaczek and Khinchine).
    public var secondMoment: Double { moment(2) }

    private func moment(_ order: Double) -> Double {
        switch self {
        case .constant(let time): return pow(time, order)
        case .exponential(let mean): return tgamma(order + 1) * pow(mean, order)
        case .lognormal(let mean, let deviation):
            return pow(mean, order) * exp(order * (order - 1) / 2 * deviation * deviation)
        case .pareto(let shape, let least, let greatest):
            let whole = 1 - pow(least / greatest, shape)
            if shape == order { return shape * pow(least, shape) * log(greatest / least) / whole }
            let rest = pow(least, order) - pow(least, shape) * pow(greatest, order - shape)
            return shape / (shape - order) * rest / whole
        }
    }

    /// A time.
    public func sample(_ random: inout RandomNumbers) -> Double {
        switch self {
        case .constant(let time): time
        case .exponential(let mean): mean * random.exponential()
        case .lognormal(let mean, let deviation):
            mean * exp(deviation * random.normal() - deviation * deviation / 2)
        case .pareto(let shape, let least, let greatest):
            least / pow(1 - random.fraction() * (1 - pow(least / greatest, shape)), 1 / shape)
        }
    }
}

/// Virtual time is counted in nanoseconds.
public func nanoseconds(_ seconds: Double) -> UInt64 { UInt64((seconds * 1e9).rounded()) }
