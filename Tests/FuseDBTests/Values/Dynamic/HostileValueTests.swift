import CMalloc
import Foundation
import ProgramSupport
import Testing

import FuseDB

struct `A dynamic value of hostile bytes` {
  /// Every type and width in one value.
  private static let everything: [UInt8] = {
    let parts = ValueSamples.all.map(\.bytes).filter { $0.count < 40 } + ValueSamples.verbatim
    return [0xDC] + ReferenceValue.bigEndian(UInt64(parts.count), 2) + parts.flatMap { $0 }
  }()

  /// Is the value where the model sees one, and an error where it sees none.
  private static func check(_ bytes: [UInt8]) {
    do throws(FuseError) {
      let value = try FuseValue(messagePack: bytes)
      #expect(ReferenceValue.isOneValue(bytes), "\(bytes.hex)")
      #expect(try value.messagePack == bytes)
    } catch {
      #expect(error.code == .invalidValue)
      #expect(error.offset.map { $0 <= bytes.count } == true, "\(bytes.hex)")
      #expect(!ReferenceValue.isOneValue(bytes), "\(bytes.hex)")
    }
    // The same bytes as if they had been sound when they were validated.
    _ = FuseValue(validated: bytes.rawSpan)
  }

  // [V1] [V5]
  @Test func `is refused wherever the bytes are cut`() {
    for count in 0..<Self.everything.count { Self.check(Array(Self.everything.prefix(count))) }
    Self.check(Self.everything)
    Self.check(Self.everything + [0xC0])
  }

  // [V1] [V2] [V5]
  @Test func `is refused or another value with any bit the other way round`() {
    for bit in 0..<8 * Self.everything.count { Self.check(Self.everything.flipping(bit: bit)) }
  }

  @Test func `is refused or a value when it is random bytes`() {
    var random = SeededRandom.announced()
    for _ in 0..<20_000 { Self.check(random.bytes(random.below(40))) }
  }

  // [V3]
  @Test(arguments: [[0x91], [0x81, 0xC0], [0x81], [0xDC, 0, 1], [0xDF, 0, 0, 0, 1, 0xC0]] as [[UInt8]])
  func `is nested at most 128 deep`(opening: [UInt8]) throws {
    // A map that is a key has a value after it.
    let closing: [UInt8] = opening == [0x81] ? [0xC0] : []
    func nested(_ depth: Int) -> [UInt8] {
      [UInt8](opening, times: depth) + [0xC0] + [UInt8](closing, times: depth)
    }
    let value = try FuseValue(messagePack: nested(128))
    #expect(try value.messagePack == nested(128))
    for depth in [129, 1_000_000] {
      let bytes = nested(depth)
      let error = #expect(throws: FuseError.self) { try FuseValue(messagePack: bytes) }
      #expect(error?.code == .invalidValue)
      #expect(error?.offset == UInt64(128 * opening.count))
      _ = FuseValue(validated: bytes.rawSpan)
    }
  }

  @Test func `is not written when it is nested deeper than 128`() throws {
    var value: FuseValue = []
    for _ in 1..<128 { value = [value] }
    #expect(try value.messagePack == [UInt8](repeating: 0x91, count: 127) + [0x90])
    let verbatim = try FuseValue(messagePack: [0xDC, 0, 1, 0xC0])
    var deep: [FuseValue] = [[value], [value: nil], ["a": value]]
    // Here a map is the one that is too deep.
    var holderOfMap: FuseValue = [:]
    for _ in 1...128 { holderOfMap = [holderOfMap] }
    deep.append(holderOfMap)
    var holder = verbatim
    for _ in 1..<128 { holder = [holder] }
    #expect(try holder.messagePack.count == 127 + 4)
    deep.append([holder])
    for value in deep {
      #expect(throws: FuseError.self) { try value.messagePack }
      let error = #expect(throws: FuseError.self) { try value.json }
      #expect(error?.code == .invalidValue)
      #expect(value.description.contains("128"))
    }
  }

  @Test func `takes a small stack`() throws {
    let depth = 128
    let arrays = [UInt8](repeating: 0x91, count: depth) + [0xC0]
    let maps = [UInt8]([0x81, 0xC0], times: depth) + [0xC0]
    let keys = [UInt8](repeating: 0x81, count: depth) + [UInt8](repeating: 0xC0, count: depth + 1)
    for bytes in [arrays, maps, keys] {
      let isWell = try Self.onSmallStack {
        let (value, same) = (try FuseValue(messagePack: bytes), try FuseValue(messagePack: bytes))
        var hasher = Hasher()
        value.hash(into: &hasher)
        return try value == same && value.messagePack == bytes && FuseValue(json: value.json) == value
          && value.description.count > depth
      }
      #expect(isWell)
    }
  }

  private static func onSmallStack(_ body: @escaping @Sendable () throws -> Bool) throws -> Bool {
    final class Outcome: @unchecked Sendable { var result: Result<Bool, any Error>? }
    let outcome = Outcome()
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
      outcome.result = Result(catching: body)
      done.signal()
    }
    thread.stackSize = 512 << 10
    thread.start()
    done.wait()
    return try #require(outcome.result).get()
  }

  // [V5]
  @Test(arguments: ["dd", "df", "db", "c6", "c9"])
  func `takes no memory for what it claims`(first: String) {
    let head = [UInt8](hex: first + "ffffffff")
    for body in [0, 1, 1000] {
      Self.check(head + [UInt8](repeating: 0xC0, count: body))
      // The claim of each is as large as what is left, inside of one that claims the same.
      Self.check([0x93] + head + [UInt8](repeating: 0xC0, count: body))
    }
  }

  // [V5]
  @Test func `takes at most 64 bytes of memory for each of its own`() async {
    await #expect(processExitsWith: .exitCode(44)) {
      let byteCount = 1 << 18
      var isWell = true
      var most = 0.0
      // What an array has over and over: the smallest values of each kind, and 127 arrays inside each other.
      let chains: [[UInt8]] = [[0x91], [0x81, 0xC0]].map { [UInt8]($0, times: 127) + [0xC0] }
      let parts =
        chains
        + [
          "c0", "90", "80", "a0", "c400", "c40100", "d40500", "c70005", "cc05", "d900", "a1ff", "91c0", "81c0c0",
          "dc0000",
          "b061616161616161616161616161616161",
        ].map { [UInt8](hex: $0) }
      for part in parts {
        let count = byteCount / part.count
        // The shortest head: otherwise the whole value is kept verbatim.
        let head: [UInt8] = count > 0xFFFF ? [0xDD, 0, UInt8(count >> 16)] : [0xDC]
        let bytes =
          head + ReferenceValue.bigEndian(UInt64(count), 2) + [UInt8](part, times: count)
        let before = mallinfo2()
        let value = try FuseValue(messagePack: bytes)
        let after = mallinfo2()
        let taken = Int(after.uordblks + after.hblkhd) - Int(before.uordblks + before.hblkhd)
        if value.count != count || taken > 64 * bytes.count + 8192 || taken < count { isWell = false }
        most = max(most, Double(taken) / Double(bytes.count))
      }
      // Bytes that changed after they were validated: each of 128 levels claims all that is left.
      var bomb: [UInt8] = []
      for level in 0..<128 { bomb += [0xDD] + ReferenceValue.bigEndian(UInt64(byteCount - 5 * level), 4) }
      bomb += [UInt8](repeating: 0xC0, count: byteCount)
      let before = mallinfo2()
      let value = FuseValue(validated: bomb.rawSpan)
      let after = mallinfo2()
      let taken = Int(after.uordblks + after.hblkhd) - Int(before.uordblks + before.hblkhd)
      if value.count == nil || taken > 64 * bomb.count + 8192 { isWell = false }
      // The bound is no guess: something comes near it.
      exit44(if: isWell && most > 48)
    }
  }
}
