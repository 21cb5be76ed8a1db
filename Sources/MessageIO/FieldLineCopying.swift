// Field lines copied from a received head into the head that is sent on.

public import EventLoop
public import HTTPWire

extension Buffer {
    /// Appends those field lines of a received head that go on, byte for byte; neighbours are copied together.
    ///
    /// - Parameters:
    ///   - fields: the lines, as offsets from `head`.
    ///   - head: the first byte of the received head.
    ///   - isKept: whether a line goes on.
    @inlinable
    public func appendLines(
        of fields: FieldSection,
        from head: UnsafeRawPointer,
        where isKept: (FieldLine) -> Bool
    ) {
        var run = 0..<0
        for index in 0..<fields.count {
            let line = fields.lines[index]
            guard isKept(line) else { continue }
            let range = line.lineRange
            if range.lowerBound == run.upperBound {
                run = run.lowerBound..<range.upperBound
            } else {
                append(UnsafeRawBufferPointer(start: head + run.lowerBound, count: run.count))
                run = range
            }
        }
        append(UnsafeRawBufferPointer(start: head + run.lowerBound, count: run.count))
    }
}
