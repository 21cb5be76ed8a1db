// The set of backends that were tried, below and beyond its inline part.

import Balancing
import TestSupport
import Testing

@Suite("Tried backends")
struct TriedBackendsTests {
    @Test(arguments: [0, 1, 62, 63, 64, 65, 127, 128, 191, 192, 1000])
    func `a set of one contains that one and no other`(index: Int) {
        var tried = TriedBackends()
        #expect(!tried.contains(index))
        tried.insert(index)
        #expect((0...1100).filter { tried.contains($0) } == [index])
        tried.insert(index)
        #expect((0...1100).filter { tried.contains($0) } == [index])
        tried.removeAll()
        #expect(!(0...1100).contains { tried.contains($0) })
    }

    @Test(arguments: SeededGenerator.seeds)
    func `random operations leave what a plain set has`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var tried = TriedBackends()
        var model: Set<Int> = []
        for _ in 0..<300 {
            if generator.once(in: 40) {
                tried.removeAll()
                model = []
            } else {
                let index = generator.number(in: 0...199)
                if generator.once(in: 10) {
                    var others = TriedBackends()
                    for _ in 0..<generator.number(in: 0...40) {
                        let other = generator.number(in: 0...300)
                        others.insert(other)
                        model.remove(other)
                    }
                    tried.subtract(others)
                } else {
                    tried.insert(index)
                    model.insert(index)
                }
            }
            #expect((0..<256).filter { tried.contains($0) } == model.sorted())
        }
    }
}
