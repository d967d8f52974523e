import CMsgpack
import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBValues

@safe
struct `The MessagePack cursor` {
  /// What msgpack-c makes of bytes: whether they are exactly one value. It reads values nested less than 32 deep.
  private static func isOneValueToMsgpackC(_ bytes: [UInt8]) -> Bool {
    var result = unsafe msgpack_unpacked()
    unsafe msgpack_unpacked_init(&result)
    defer { unsafe msgpack_unpacked_destroy(&result) }
    var offset = 0
    let status = unsafe bytes.withUnsafeBytes { bytes in
      unsafe msgpack_unpack_next(&result, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, &offset)
    }
    return status == MSGPACK_UNPACK_SUCCESS && offset == bytes.count
  }

  /// What msgpack-c decodes, told in the words of ``MessagePackToken``.
  private static func tokensOfMsgpackC(_ bytes: [UInt8]) -> [String] {
    var result = unsafe msgpack_unpacked()
    unsafe msgpack_unpacked_init(&result)
    defer { unsafe msgpack_unpacked_destroy(&result) }
    var offset = 0
    _ = unsafe bytes.withUnsafeBytes { bytes in
      unsafe msgpack_unpack_next(&result, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, &offset)
    }
    var tokens: [String] = []
    unsafe tell(result.data, &tokens)
    return tokens
  }

  private static func tell(_ object: msgpack_object, _ tokens: inout [String]) {
    switch unsafe object.type {
    case MSGPACK_OBJECT_NIL: tokens.append("nil")
    case MSGPACK_OBJECT_BOOLEAN: unsafe tokens.append("bool \(object.via.boolean)")
    case MSGPACK_OBJECT_POSITIVE_INTEGER: unsafe tokens.append("int \(object.via.u64)")
    case MSGPACK_OBJECT_NEGATIVE_INTEGER: unsafe tokens.append("int \(object.via.i64)")
    case MSGPACK_OBJECT_FLOAT32: unsafe tokens.append("float32 \(text(object.via.f64))")
    case MSGPACK_OBJECT_FLOAT64: unsafe tokens.append("float64 \(text(object.via.f64))")
    case MSGPACK_OBJECT_STR: unsafe tokens.append("str \(hex(object.via.str.ptr, object.via.str.size))")
    case MSGPACK_OBJECT_BIN: unsafe tokens.append("bin \(hex(object.via.bin.ptr, object.via.bin.size))")
    case MSGPACK_OBJECT_EXT:
      unsafe tokens.append("ext \(object.via.ext.type) \(hex(object.via.ext.ptr, object.via.ext.size))")
    case MSGPACK_OBJECT_ARRAY:
      unsafe tokens.append("array \(object.via.array.size)")
      for i in unsafe 0..<Int(object.via.array.size) { unsafe tell(object.via.array.ptr[i], &tokens) }
    default:
      unsafe tokens.append("map \(object.via.map.size)")
      for i in unsafe 0..<Int(object.via.map.size) {
        unsafe tell(object.via.map.ptr[i].key, &tokens)
        unsafe tell(object.via.map.ptr[i].val, &tokens)
      }
    }
  }

  /// A float's value; msgpack-c makes a float32 a double, which does not keep the bits of every NaN.
  private static func text(_ value: Double) -> String { value.isNaN ? "nan" : value.description }

  private static func hex(_ start: UnsafePointer<CChar>?, _ count: UInt32) -> String {
    unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: Int(count))).hex
  }

  /// The same of the cursor.
  private static func tokens(_ bytes: [UInt8]) throws -> [String] {
    var tokens: [String] = []
    var cursor = MessagePackCursor(bytes.rawSpan)
    while !cursor.isAtEnd {
      let token = try cursor.readHead()
      let payload = cursor.readPayload(byteCount: token.payloadByteCount).array().hex
      switch token {
      case .null: tokens.append("nil")
      case .bool(let value): tokens.append("bool \(value)")
      case .unsigned(let value): tokens.append("int \(value)")
      case .signed(let value): tokens.append("int \(value)")
      case .float32(let bits): tokens.append("float32 \(text(Double(Float(bitPattern: bits))))")
      case .float64(let bits): tokens.append("float64 \(text(Double(bitPattern: bits)))")
      case .string: tokens.append("str \(payload)")
      case .binary: tokens.append("bin \(payload)")
      case .extension(let type, _): tokens.append("ext \(type) \(payload)")
      case .array(let count): tokens.append("array \(count)")
      case .map(let count): tokens.append("map \(count)")
      }
    }
    return tokens
  }

  /// Where the cursor finds the first thing wrong, or nil.
  private static func refusal(_ bytes: [UInt8]) -> FuseError? {
    failure { try MessagePackCursor.validate(bytes.rawSpan) }
  }

  @Test func `reads random values as msgpack-c does [V6]`() throws {
    var random = SeededRandom.announced()
    for _ in 0..<3000 {
      let bytes = ReferenceValue.random(&random).bytes
      #expect(Self.refusal(bytes) == nil, "\(bytes.hex)")
      #expect(ReferenceValue.isOneValue(bytes), "\(bytes.hex)")
      #expect(try Self.tokens(bytes) == Self.tokensOfMsgpackC(bytes), "\(bytes.hex)")
    }
  }

  @Test func `takes no part of a value and no value with something after it [V1]`() {
    var random = SeededRandom.announced()
    for _ in 0..<400 {
      let bytes = ReferenceValue.random(&random, depth: 3).bytes
      for count in 0..<bytes.count where bytes.count < 200 {
        let error = Self.refusal([UInt8](bytes[..<count]))
        #expect(error?.code == .invalidValue, "\(bytes.hex) cut at \(count)")
        #expect(error?.offset.map { $0 <= count } == true, "\(bytes.hex) cut at \(count)")
      }
      for tail: [UInt8] in [[0], [0xC0], [0xC1], [0xFF, 0xFF]] {
        #expect(Self.refusal(bytes + tail)?.offset == UInt64(bytes.count), "\(bytes.hex)")
      }
    }
  }

  @Test func `takes what msgpack-c takes of random bytes and refuses the rest [V1] [V2] [V5]`() {
    var random = SeededRandom.announced()
    var valid = 0
    for _ in 0..<20_000 {
      // Heads that count much are made rare: msgpack-c reserves memory for them.
      var bytes = random.bytes(1 + random.below(16))
      for i in bytes.indices where [0xDD, 0xDF].contains(bytes[i]) && random.below(4) > 0 { bytes[i] = 0x92 }
      for i in bytes.indices where random.below(3) == 0 {
        bytes[i] = random.element([0, 1, 2, 0x81, 0x91, 0x92, 0xA1, 0xC0, 0xC4, 0xD4, 0xD9])
      }
      let isValid = Self.refusal(bytes) == nil
      let isValidToModel = ReferenceValue.isOneValue(bytes)
      #expect(isValid == isValidToModel, "\(bytes.hex)")
      if !bytes.contains(0xDD), !bytes.contains(0xDF) {
        #expect(isValid == Self.isOneValueToMsgpackC(bytes), "\(bytes.hex)")
      }
      if isValid { valid += 1 }
    }
    #expect(valid > 500)
  }

  @Test func `takes what msgpack-c takes of values with a few bytes changed`() {
    var random = SeededRandom.announced()
    for _ in 0..<4000 {
      var bytes = ReferenceValue.random(&random, depth: 3).bytes
      for _ in 0..<1 + random.below(2) {
        switch random.below(4) {
        case 0: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: random.below(bytes.count + 1))
        case 1 where !bytes.isEmpty: bytes.remove(at: random.below(bytes.count))
        default: if !bytes.isEmpty { bytes = bytes.flipping(bit: random.below(8 * bytes.count)) }
        }
      }
      let isValid = Self.refusal(bytes) == nil
      #expect(isValid == ReferenceValue.isOneValue(bytes), "\(bytes.hex)")
      if !bytes.contains(0xDD), !bytes.contains(0xDF) {
        #expect(isValid == Self.isOneValueToMsgpackC(bytes), "\(bytes.hex)")
      }
    }
  }

  @Test func `begins a value at every byte but c1 [V2]`() {
    let rest = [UInt8](repeating: 0, count: 80)
    for first in UInt8.min...UInt8.max {
      let bytes = [first] + rest
      var cursor = MessagePackCursor(bytes.rawSpan)
      let error = failure { try cursor.skipValue() }
      #expect((error == nil) == (first != 0xC1), "\(first)")
      #expect(error == nil || error?.offset == 0)
    }
    #expect(Self.refusal([0x92, 0x00, 0xC1])?.offset == 2)
    #expect(Self.refusal([0x81, 0xC1, 0x00])?.offset == 1)
    #expect(Self.refusal([0x81, 0x00, 0xC1])?.offset == 2)
  }

  static let payloads: [([UInt8], Int)] = [
    ([0xA0], 31), ([0xC4], 255), ([0xC5], 65_535), ([0xC6], 70_000), ([0xC7], 255), ([0xC8], 65_535), ([0xC9], 70_000),
    ([0xD9], 255),
    ([0xDA], 65_535), ([0xDB], 70_000), ([0xD4], 1), ([0xD5], 2), ([0xD6], 4), ([0xD7], 8), ([0xD8], 16),
  ]

  @Test(arguments: payloads.indices)
  func `refuses every length beyond the bytes that remain, by one byte or by far [V1] [V5]`(number: Int) {
    let (first, most) = Self.payloads[number]
    let width: Int = [0xC4: 1, 0xC5: 2, 0xC6: 4, 0xC7: 1, 0xC8: 2, 0xC9: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4][first[0]] ?? 0
    let isExtension = (0xC7...0xC9).contains(first[0]) || (0xD4...0xD8).contains(first[0])
    for byteCount in Set([0, 1, 2, 3, 4, 5, 6, 8, 16, 31, 255, most]).filter({ $0 <= most }) {
      if first[0] >= 0xD4, first[0] <= 0xD8, byteCount != most { continue }
      let length = width == 0 ? [] : ReferenceFile.big(byteCount, width)
      let head = first[0] == 0xA0 ? [0xA0 + UInt8(byteCount)] : first + length + (isExtension ? [5] : [])
      let whole = head + [UInt8](repeating: 0, count: byteCount)
      #expect(Self.refusal(whole) == nil)
      #expect(Self.refusal(whole + [0])?.offset == UInt64(whole.count))
      for missing in 1...8 where missing <= whole.count {
        let cut = [UInt8](whole.dropLast(missing))
        #expect(Self.refusal(cut)?.code == .invalidValue, "\(head.hex), \(missing) bytes missing of \(byteCount)")
        // The same inside an array, where something stands after it.
        if missing < byteCount { #expect(Self.refusal([0x92] + cut)?.code == .invalidValue) }
      }
    }
    if width > 0 {
      let huge = first + [UInt8](repeating: 0xFF, count: width)
      #expect(Self.refusal(huge + [0, 0, 0])?.code == .invalidValue)
    }
  }

  @Test(arguments: [
    "dc0001", "dcffff", "dd00000001", "ddffffffff", "dd80000000", "de0001", "deffff", "dfffffffff", "df80000000",
    "df7fffffff",
  ])
  func `refuses a count beyond the bytes that remain before it believes it [V5]`(hex: String) {
    for tail in 0...3 {
      let bytes = [UInt8](hex: hex) + [UInt8](repeating: 0, count: tail)
      #expect((Self.refusal(bytes) == nil) == ReferenceValue.isOneValue(bytes), "\(bytes.hex)")
    }
  }

  @Test func `takes 128 levels and not 129, of any container, as element, key or value [V3]`() {
    let heads: [[UInt8]] = [
      [0x91], [0x81, 0x00], [0x81], [0xDC, 0, 1], [0xDD, 0, 0, 0, 1], [0xDE, 0, 1, 0xC0], [0xDF, 0, 0, 0, 1],
    ]
    for head in heads {
      let isKey = head == [0x81] || head == [0xDF, 0, 0, 0, 1]
      func nested(_ depth: Int, _ inner: [UInt8]) -> [UInt8] {
        (0..<depth).flatMap { _ in head } + inner + [UInt8](repeating: 0, count: isKey ? depth : 0)
      }
      #expect(Self.refusal(nested(128, [0xC0])) == nil)
      #expect(Self.refusal(nested(127, [0x90])) == nil)
      #expect(Self.refusal(nested(127, [0x80])) == nil)
      #expect(Self.refusal(nested(128, [0xD4, 1, 0x91])) == nil)
      #expect(Self.refusal(nested(128, [0x90]))?.offset == UInt64(128 * head.count))
      #expect(Self.refusal(nested(129, [0xC0]))?.code == .invalidValue)
      #expect(Self.refusal([UInt8](repeating: 0x91, count: 1_000_000))?.code == .invalidValue)
    }
    // Side by side is not inside each other.
    let deep = [UInt8](repeating: 0x91, count: 127) + [0xC0]
    #expect(Self.refusal([0x93] + deep + deep + deep) == nil)
  }

  @Test func `says whether every head is the shortest`() throws {
    var random = SeededRandom.announced()
    for _ in 0..<1000 {
      let bytes = ReferenceValue.random(&random, anyWidth: false).bytes
      var cursor = MessagePackCursor(bytes.rawSpan)
      let isShortest = try cursor.skipValue()
      let end = cursor.offset
      #expect(isShortest, "\(bytes.hex)")
      #expect(end == bytes.count)
    }
    for long in [
      "cc05", "cd0080", "d0ff", "d005", "d1ff7f", "d90161", "c5000100", "c70105aa", "dc000101", "de00010101",
      "92cc0500",
    ] {
      let bytes = [UInt8](hex: long)
      var cursor = MessagePackCursor(bytes.rawSpan)
      let isShortest = try cursor.skipValue()
      #expect(!isShortest || long == "d1ff7f", "\(long)")
    }
  }

  @Test(arguments: [1, 127, 128, 129, 1000])
  func `that is wide and not deep is a value, however many containers it has [V3]`(count: Int) throws {
    let wide = [0xDC, UInt8(count >> 8), UInt8(count & 0xFF)] + [UInt8](repeating: 0x90, count: count)
    try MessagePackCursor.validate(wide.rawSpan)
    let nested = [UInt8](repeating: 0x91, count: count) + [0xC0]
    let isValue = MessagePackCursor.isValue(nested.rawSpan)
    #expect(isValue == (count <= 128))
    // The quick answer may be no for a value, never yes for anything else.
    let isPlain = MessagePackCursor.isPlainValue(nested.rawSpan)
    #expect(isPlain == (count <= 128))
  }

  @Test func `is passed quickly only if it is one`() {
    var random = SeededRandom.announced()
    var plain = 0
    for _ in 0..<5000 {
      var bytes = ReferenceValue.random(&random, depth: 3).bytes
      if random.below(2) == 0 { bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next()) }
      if random.below(8) == 0 { bytes.removeLast() }
      let isPlain = MessagePackCursor.isPlainValue(bytes.rawSpan)
      let isValue = MessagePackCursor.isValue(bytes.rawSpan)
      #expect(isValue == ReferenceValue.isOneValue(bytes), "\(bytes.hex)")
      #expect(!isPlain || isValue, "\(bytes.hex)")
      if isPlain { plain += 1 }
    }
    #expect(plain > 500)
  }
}
