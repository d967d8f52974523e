import CMalloc
import Glibc
import Testing

import FuseDB

/// Large values: none takes long or much memory, whatever a type asks. Where the work were the square of the size, each of
/// these tests would take minutes.
struct `A large value` {
  private static let count = 25_000

  struct Three: Decodable, Equatable {
    var first: Int
    var last: Int
    var missing: Int?
  }

  @Test func `of a quarter of a million pairs becomes a type of three members`() throws {
    var bytes = Packed.map(250_002) + Packed.text("first") + [1]
    for number in 0..<250_000 { bytes += [0xCE] + UInt32(number).bigEndianBytes + [0xC0] }
    bytes += Packed.text("last") + [2]
    #expect(try FuseDecoder().decode(Three.self, from: bytes) == Three(first: 1, last: 2, missing: nil))
  }

  @Test func `of elements that a type tries is tried one after the other`() throws {
    let elements = (0..<Self.count).map { "\($0)" }
    let list = try FuseDecoder().decode(Tried.self, from: try FuseEncoder().encode(elements))
    #expect(list == .list(elements.map { .text($0) }))
    let pairs = Dictionary(uniqueKeysWithValues: elements.map { ($0, [$0]) })
    let map = try FuseDecoder().decode(Tried.self, from: try FuseEncoder().encode(pairs))
    #expect(map == .map(pairs.mapValues { .list($0.map { .text($0) }) }))
  }

  @Test func `with names of its own is read name by name`() throws {
    struct Item: Codable { var a: Int, b: Int }
    struct Bag: Decodable {
      var sum = 0
      init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: AnyName.self)
        for name in container.allKeys { sum += try container.decode(Item.self, forKey: name).b }
      }
    }
    let items = Dictionary(uniqueKeysWithValues: (0..<Self.count).map { ("item \($0)", Item(a: 1, b: $0)) })
    let bytes = try FuseEncoder().encode(items)
    #expect(try FuseDecoder().decode(Bag.self, from: bytes).sum == Self.count * (Self.count - 1) / 2)
  }

  @Test(arguments: ["numbers", "texts", "wrong texts"])
  func `for an enum is refused`(keys: String) throws {
    let count = 2 * Self.count
    var bytes = Packed.map(count)
    for number in 0..<count {
      switch keys {
      case "numbers": bytes += [0xCE] + UInt32(number).bigEndianBytes
      case "texts": bytes += Packed.text("\(number)")
      default: bytes += [0xA5, 0xFF] + UInt32(number).bigEndianBytes
      }
      bytes.append(0xC0)
    }
    let error = failure { _ = try FuseDecoder().decode(Sample.Choice.self, from: bytes) }
    #expect(error?.code == .invalidValue)
  }

  /// A key whose text takes long.
  private struct Place: Codable, Hashable, CustomStringConvertible {
    var x: Int
    var description: String {
      Issue.record("nobody needs this text")
      return "\(x)"
    }
  }

  @Test func `asks its keys for no text, as long as there is no error to say`() throws {
    let pairs = [Place(x: 1): [1], Place(x: 2): []]
    #expect(try FuseDecoder().decode([Place: [Int]].self, from: FuseEncoder().encode(pairs)) == pairs)
  }

  // MARK: Memory

  /// What decoding `bytes` as `type` leaves allocated, and more than `limit` times the bytes at any time ends the process.
  private static func heap<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8], limit: Int) -> Int {
    // The first round pays for what is set up once.
    _ = try? FuseDecoder().decode(type, from: [0xC0])
    MemoryUse.limitData(toMore: limit * bytes.count + (4 << 20))
    let before = mallinfo2()
    let value = try? FuseDecoder().decode(type, from: bytes)
    let after = mallinfo2()
    withExtendedLifetime(value) {}
    return Int(after.uordblks + after.hblkhd) - Int(before.uordblks + before.hblkhd)
  }

  @Test func `takes a small multiple of its size [W20]`() async {
    await #expect(processExitsWith: .exitCode(44)) {
      let count = 200_000
      let text = Packed.array(count) + [UInt8]([0xA1, 0x61], times: count)
      let lists = Packed.array(count) + [UInt8]([0x91, 0x05], times: count)
      let numbers = Packed.array(count) + [UInt8](repeating: 5, count: count)
      let sizes = [
        (Self.heap([String].self, text, limit: 40), 16 * count, text.count),
        (Self.heap([[Int]].self, lists, limit: 100), 56 * count, lists.count),
        (Self.heap([Int].self, numbers, limit: 40), 8 * count, numbers.count),
        (Self.heap([UInt8].self, numbers, limit: 40), count, numbers.count),
        (Self.heap(FuseValue.self, lists, limit: 200), 64 * lists.count, lists.count),
      ]
      exit44(if: sizes.allSatisfy { $0.0 <= $0.1 + 65_536 && $0.0 > $0.2 / 2 })
    }
  }

  @Test func `that is refused takes no more [W20]`() async {
    await #expect(processExitsWith: .exitCode(44)) {
      let count = 200_000
      // Counts that could be, each in the other, and nothing after them that is of the type.
      var bytes: [UInt8] = []
      for level in 0..<100 { bytes += Packed.array(count - 10 * level) }
      bytes += [UInt8](repeating: 0xC0, count: count)
      let isHeld = Self.heap(Nest.self, bytes, limit: 20) + Self.heap([[[Int]]].self, bytes, limit: 20)
      // A map of names, of which one stands twice.
      var names = Packed.map(count)
      for number in 0..<count { names += [0xA4] + UInt32(number / 2).bigEndianBytes.map { $0 & 0x7F } + [0] }
      exit44(if: isHeld + Self.heap(Three.self, names, limit: 20) < 65_536)
    }
  }
}

extension UInt32 {
  fileprivate var bigEndianBytes: [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: self >> $0) } }
}
