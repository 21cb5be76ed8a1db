// The tag that tells a descriptor's lives apart.

import Testing

@testable import EventLoop

@Suite("Poll tag")
struct PollTagTests {
    @Test(arguments: [0, 1, 7, 65_535, .max] as [CInt], [0, 1, 0x8000_0000, .max] as [UInt32])
    func `a tag comes back from epoll as it went`(descriptor: CInt, generation: UInt32) {
        let tag = PollTag(descriptor: descriptor, generation: generation)
        #expect(PollTag(rawValue: tag.rawValue) == tag)
    }

    @Test func `tags of different descriptors or generations differ`() {
        let tags =
            [PollTag(descriptor: 1, generation: 2), PollTag(descriptor: 2, generation: 1)]
            + [PollTag(descriptor: 1, generation: 1)]
        #expect(Set(tags.map(\.rawValue)).count == 3)
    }
}
