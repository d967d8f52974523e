import FuseDB
import Testing

/// Types that hand their coder on to what they hold, instead of using a container.
struct `A dictionary that a type hands its encoder to` {
  private struct Wrapped<Key: Codable & Hashable>: Codable, Equatable {
    var values: [Key: Int]
    init(_ values: [Key: Int]) { self.values = values }
    init(from decoder: any Decoder) throws { values = try [Key: Int](from: decoder) }
    func encode(to encoder: any Encoder) throws { try values.encode(to: encoder) }
  }

  @Test func `has its names in order, however it is hashed [W5]`() throws {
    let values = Dictionary(uniqueKeysWithValues: (0..<100).map { ("name \($0 * 7919 % 100)", $0) })
    // Of other capacities, a dictionary has another order.
    var roomy = values
    roomy.reserveCapacity(10_000)
    let bytes = try FuseEncoder().encode(["x": values])
    #expect(try FuseEncoder().encode(["x": Wrapped(values)]) == bytes)
    #expect(try FuseEncoder().encode(["x": Wrapped(roomy)]) == bytes)
    #expect(try FuseDecoder().decode([String: Wrapped<String>].self, from: bytes) == ["x": Wrapped(values)])
  }

  @Test func `has texts for integer keys, and is read again`() throws {
    let bytes = try FuseEncoder().encode(Wrapped([10: 1, 9: 2]))
    #expect(try FuseValue(messagePack: bytes) == ["10": 1, "9": 2])
    #expect(try FuseDecoder().decode(Wrapped<Int>.self, from: bytes) == Wrapped([10: 1, 9: 2]))
  }
}
