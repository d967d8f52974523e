import Glibc
import Testing

import FuseDB

/// More than any process may address, and more than any number of bytes.
private let tooMuch = [1 << 47, Int.max / 8, Int.max]

struct `Memory that is asked for` {
  @Test(arguments: tooMuch)
  func `is refused with an error where there is no room for it`(count: Int) {
    var bytes: [UInt8] = [1]
    var numbers: [UInt64] = [1]
    #expect(throws: FuseError.self) { try bytes.reserve(count) }
    #expect(throws: FuseError.self) { try numbers.reserve(count) }
    #expect(throws: FuseError.self) { try numbers.makeRoom(for: count / 2) }
    #expect(throws: FuseError.self) { _ = try [UInt32](count, of: 7) }
    #expect(throws: FuseError.self) { try MemoryRoom.check(count) }
    #expect(throws: FuseError.self) { _ = try ZeroedMemory(byteCount: count) }
    #expect(bytes == [1] && numbers == [1])
  }

  @Test func `is refused in words that say why`() throws {
    let error = try #require(throws: FuseError.self) { try MemoryRoom.check(1 << 47) }
    #expect(error.code == .inputOutput && error.errno == ENOMEM)
    #expect(error.message.hasPrefix("cannot allocate 140737488355328 bytes: Cannot allocate memory"))
  }

  @Test func `is there for what is of usual size`() throws {
    var numbers: [Int] = []
    for number in 0..<100_000 { try numbers.grow(by: number) }
    #expect(numbers == Array(0..<100_000))
    try numbers.makeRoom(for: 1_000_000)
    #expect(numbers.capacity >= 1_100_000 && numbers.count == 100_000)
    try numbers.checkRoomForSorting()
    #expect(try [UInt32](300_000, of: 7) == [UInt32](repeating: 7, count: 300_000))
    #expect(try [UInt32](0, of: 7) == [])
  }
}
