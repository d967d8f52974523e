import ProgramSupport

/// A MessagePack value as a tree, with the width of each head: what tests make values from and compare them with.
indirect enum ReferenceValue {
  case scalar([UInt8])
  case payload(head: [UInt8], body: [UInt8])
  case array(head: [UInt8], [ReferenceValue])
  case map(head: [UInt8], [(ReferenceValue, ReferenceValue)])

  var bytes: [UInt8] {
    switch self {
    case .scalar(let bytes): bytes
    case .payload(let head, let body): head + body
    case .array(let head, let values): head + values.flatMap(\.bytes)
    case .map(let head, let pairs): head + pairs.flatMap { $0.bytes + $1.bytes }
    }
  }

  /// Whether the bytes are exactly one value, nested at most 128 deep. §12
  static func isOneValue(_ bytes: [UInt8]) -> Bool { end(of: bytes, at: 0, depth: 0) == bytes.count }

  /// Where the value at `start` ends, or nil where there is none. Plain recursion, after the table of §12.
  static func end(of bytes: [UInt8], at start: Int, depth: Int) -> Int? {
    guard start < bytes.count else { return nil }
    func skip(_ count: Int) -> Int? { start + 1 + count <= bytes.count ? start + 1 + count : nil }
    func length(_ width: Int, extra: Int = 0) -> Int? {
      guard let body = skip(width) else { return nil }
      let end = body + extra + Int(bytes.number(at: start + 1, width))
      return end <= bytes.count ? end : nil
    }
    func children(from place: Int?, _ count: Int) -> Int? {
      guard var place, depth < 128 else { return nil }
      for _ in 0..<count {
        guard let next = end(of: bytes, at: place, depth: depth + 1) else { return nil }
        place = next
      }
      return place
    }
    func counted(_ width: Int, times: Int) -> Int? {
      guard let body = skip(width) else { return nil }
      return children(from: body, times * Int(bytes.number(at: start + 1, width)))
    }
    let first = Int(bytes[start])
    switch first {
    case 0x00...0x7F, 0xC0, 0xC2, 0xC3, 0xE0...0xFF: return start + 1
    case 0x80...0x8F: return children(from: start + 1, 2 * (first - 0x80))
    case 0x90...0x9F: return children(from: start + 1, first - 0x90)
    case 0xA0...0xBF: return skip(first - 0xA0)
    case 0xC4, 0xD9: return length(1)
    case 0xC5, 0xDA: return length(2)
    case 0xC6, 0xDB: return length(4)
    case 0xC7: return length(1, extra: 1)
    case 0xC8: return length(2, extra: 1)
    case 0xC9: return length(4, extra: 1)
    case 0xCC, 0xD0: return skip(1)
    case 0xCD, 0xD1: return skip(2)
    case 0xCA, 0xCE, 0xD2: return skip(4)
    case 0xCB, 0xCF, 0xD3: return skip(8)
    case 0xD4...0xD8: return skip(1 + 1 << (first - 0xD4))
    case 0xDC: return counted(2, times: 1)
    case 0xDD: return counted(4, times: 1)
    case 0xDE: return counted(2, times: 2)
    case 0xDF: return counted(4, times: 2)
    default: return nil
    }
  }
}

// MARK: Random values

extension ReferenceValue {
  /// A random value of any type. With `anyWidth`, heads are now and then longer than needed.
  static func random(_ random: inout SeededRandom, depth: Int = 4, anyWidth: Bool = true) -> ReferenceValue {
    switch random.below(depth > 0 ? 14 : 10) {
    case 0: return .scalar([random.element([0xC0, 0xC2, 0xC3])])
    case 1, 2: return .scalar(integer(&random, anyWidth))
    case 3: return .scalar([0xCA] + float(&random, byteCount: 4))
    case 4: return .scalar([0xCB] + float(&random, byteCount: 8))
    case 5, 6:
      let body = text(&random)
      return .payload(head: head(&random, body.count, fixed: (0xA0, 32), [0xD9, 0xDA, 0xDB], anyWidth), body: body)
    case 7:
      let body = random.bytes(size(&random))
      return .payload(head: head(&random, body.count, fixed: nil, [0xC4, 0xC5, 0xC6], anyWidth), body: body)
    case 8, 9: return randomExtension(&random, anyWidth)
    case 10, 11:
      let values = (0..<random.below(5)).map { _ in ReferenceValue.random(&random, depth: depth - 1, anyWidth: anyWidth)
      }
      return .array(head: head(&random, values.count, fixed: (0x90, 16), [nil, 0xDC, 0xDD], anyWidth), values)
    default:
      let textOnly = random.below(2) == 0
      let pairs = (0..<random.below(5)).map { _ in
        let name = randomName(&random)
        return (
          textOnly ? name : ReferenceValue.random(&random, depth: depth - 1, anyWidth: anyWidth),
          ReferenceValue.random(&random, depth: depth - 1, anyWidth: anyWidth)
        )
      }
      return .map(head: head(&random, pairs.count, fixed: (0x80, 16), [nil, 0xDE, 0xDF], anyWidth), pairs)
    }
  }

  private static func randomName(_ random: inout SeededRandom) -> ReferenceValue {
    let names = ["", "a", "é", "name", "$bin", "$map", "$float32", "$other", "$ext", "$msgpack", "$str", "$float64"]
    let name = [UInt8](random.element(names).utf8)
    return .payload(head: [0xA0 + UInt8(name.count)], body: name)
  }

  private static func size(_ random: inout SeededRandom) -> Int {
    random.element([0, 1, 2, 3, 4, 8, 15, 16, 17, 31, 32, 33, 255, 256, 300])
  }

  private static func text(_ random: inout SeededRandom) -> [UInt8] {
    switch random.below(4) {
    case 0: return random.bytes(random.below(12))
    case 1:
      let pieces = [
        "\"", "\\", "/", "\u{0}", "\n", "\t", "\r", "\u{1F}", "\u{7F}", "é", "日", "🛰", "\u{2028}", "\u{FFFD}",
      ]
      return (0..<random.below(12)).flatMap { _ in [UInt8](random.element(pieces).utf8) }
    default: return (0..<size(&random)).map { _ in UInt8(0x20 + random.below(95)) }
    }
  }

  private static func integer(_ random: inout SeededRandom, _ anyWidth: Bool) -> [UInt8] {
    let bits = random.next() >> UInt64(random.below(64))
    if random.below(2) == 0 {
      if bits < 0x80, !(anyWidth && random.below(4) == 0) { return [UInt8(bits)] }
      let least = bits <= 0xFF ? 0 : bits <= 0xFFFF ? 1 : bits <= 0xFFFF_FFFF ? 2 : 3
      let width = anyWidth && random.below(4) == 0 ? random.element(Array(least...3)) : least
      return [0xCC + UInt8(width)] + bigEndian(bits, 1 << width)
    }
    let value = Int64(bitPattern: bits | 1 << 63) >> Int64(random.below(64))
    if value >= -32, !(anyWidth && random.below(4) == 0) { return [UInt8(bitPattern: Int8(value))] }
    let least = value >= -0x80 ? 0 : value >= -0x8000 ? 1 : value >= -0x8000_0000 ? 2 : 3
    let width = anyWidth && random.below(4) == 0 ? random.element(Array(least...3)) : least
    return [0xD0 + UInt8(width)] + bigEndian(UInt64(bitPattern: value), 1 << width)
  }

  private static func float(_ random: inout SeededRandom, byteCount: Int) -> [UInt8] {
    switch random.below(4) {
    case 0: return random.bytes(byteCount)
    case 1:
      // Infinities and NaNs of any payload.
      let ones: [UInt8] = byteCount == 4 ? [0x7F, 0x80] : [0x7F, 0xF0]
      let sign = UInt8(random.below(2)) << 7
      let tail = random.below(2) == 0 ? [UInt8](repeating: 0, count: byteCount - 2) : random.bytes(byteCount - 2)
      return [ones[0] | sign, ones[1] | UInt8(random.below(2)) << 3] + tail
    default:
      let value = random.element([0.0, -0.0, 1, 1.5, 0.1, -123.25, 1e16, 1e-7, 12_345_678_901, 3.0e38])
      return byteCount == 4 ? bigEndian(UInt64(Float(value).bitPattern), 4) : bigEndian(value.bitPattern, 8)
    }
  }

  private static func randomExtension(_ random: inout SeededRandom, _ anyWidth: Bool) -> ReferenceValue {
    let body = random.bytes(size(&random))
    let type = UInt8(truncatingIfNeeded: random.next())
    if let place = [1, 2, 4, 8, 16].firstIndex(of: body.count), !(anyWidth && random.below(3) == 0) {
      return .payload(head: [0xD4 + UInt8(place), type], body: body)
    }
    return .payload(head: head(&random, body.count, fixed: nil, [0xC7, 0xC8, 0xC9], anyWidth) + [type], body: body)
  }

  /// A head that counts `count`: the shortest, or now and then a longer one.
  private static func head(
    _ random: inout SeededRandom, _ count: Int, fixed: (first: UInt8, below: Int)?, _ wide: [UInt8?], _ anyWidth: Bool
  ) -> [UInt8] {
    let lengthen = anyWidth && random.below(8) == 0
    if let fixed, count < fixed.below, !lengthen { return [fixed.first + UInt8(count)] }
    let fits = (0..<3).filter { wide[$0] != nil && count < 1 << (8 << $0) }
    let choice = lengthen ? random.element(fits) : fits[0]
    return [wide[choice] ?? 0] + bigEndian(UInt64(count), 1 << choice)
  }

  static func bigEndian(_ value: UInt64, _ byteCount: Int) -> [UInt8] {
    (0..<byteCount).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (byteCount - 1 - $0))) }
  }
}
