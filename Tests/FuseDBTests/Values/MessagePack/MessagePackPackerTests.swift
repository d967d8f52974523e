import CMsgpack
import Testing

import FuseDB

struct `The packer` {
  private static func packed(_ body: (MessagePackPacker) -> Void) -> [UInt8] {
    let packer = MessagePackPacker()
    body(packer)
    return packer.bytes.array()
  }

  static let unsigned: [(UInt64, String)] = [
    (0, "00"), (1, "01"), (0x7F, "7f"), (0x80, "cc80"), (0xFF, "ccff"), (0x100, "cd0100"), (0xFFFF, "cdffff"),
    (0x1_0000, "ce00010000"), (0xFFFF_FFFF, "ceffffffff"), (0x1_0000_0000, "cf0000000100000000"),
    (UInt64(Int64.max), "cf7fffffffffffffff"), (1 << 63, "cf8000000000000000"), (.max, "cfffffffffffffffff"),
  ]

  static let signed: [(Int64, String)] = [
    (-1, "ff"), (-32, "e0"), (-33, "d0df"), (-128, "d080"), (-129, "d1ff7f"), (-0x8000, "d18000"),
    (-0x8001, "d2ffff7fff"),
    (-0x8000_0000, "d280000000"), (-0x8000_0001, "d3ffffffff7fffffff"), (.min, "d38000000000000000"),
  ]

  @Test(arguments: unsigned) func `takes the first width that holds an integer [J11]`(value: UInt64, hex: String) throws
  {
    #expect(Self.packed { $0.pack(value) }.hex == hex)
    if let value = Int64(exactly: value) { #expect(Self.packed { $0.pack(value) }.hex == hex) }
    #expect(try FuseJSON.messagePack(from: String(value)).hex == hex)
    #expect(try FuseJSON.text(from: [UInt8](hex: hex)) == String(value))
  }

  @Test(arguments: signed) func `takes the first width that holds a negative integer [J11]`(value: Int64, hex: String)
    throws
  {
    #expect(Self.packed { $0.pack(value) }.hex == hex)
    #expect(try FuseJSON.messagePack(from: String(value)).hex == hex)
    #expect(try FuseJSON.text(from: [UInt8](hex: hex)) == String(value))
  }

  @Test(arguments: [
    (0, "a0"), (31, "bf"), (32, "d920"), (255, "d9ff"), (256, "da0100"), (65_535, "daffff"), (65_536, "db00010000"),
  ])
  func `takes the first width that holds the length of a string`(byteCount: Int, head: String) {
    let body = [UInt8](repeating: 0x61, count: byteCount)
    #expect(Self.packed { $0.pack(string: body.rawSpan) } == [UInt8](hex: head) + body)
  }

  @Test(arguments: [(0, "c400"), (255, "c4ff"), (256, "c50100"), (65_535, "c5ffff"), (65_536, "c600010000")])
  func `takes the first width that holds the length of a binary`(byteCount: Int, head: String) {
    let body = [UInt8](repeating: 0x61, count: byteCount)
    #expect(Self.packed { $0.pack(binary: body.rawSpan) } == [UInt8](hex: head) + body)
  }

  @Test(arguments: [
    (0, "c70005"), (1, "d405"), (2, "d505"), (3, "c70305"), (4, "d605"), (5, "c70505"), (8, "d705"), (9, "c70905"),
    (15, "c70f05"),
    (16, "d805"), (17, "c71105"), (255, "c7ff05"), (256, "c8010005"), (65_535, "c8ffff05"), (65_536, "c90001000005"),
  ])
  func `takes the fixed or the first width for an extension`(byteCount: Int, head: String) {
    let body = [UInt8](repeating: 0x61, count: byteCount)
    #expect(Self.packed { $0.pack(extension: 5, body.rawSpan) } == [UInt8](hex: head) + body)
    #expect(
      Self.packed { $0.pack(extension: -128, body.rawSpan) } == [UInt8](hex: String(head.dropLast(2)) + "80") + body)
  }

  @Test(arguments: [
    (0, "90", "80"), (15, "9f", "8f"), (16, "dc0010", "de0010"), (65_535, "dcffff", "deffff"),
    (65_536, "dd00010000", "df00010000"),
  ])
  func `takes the first width that holds a count`(count: Int, array: String, map: String) {
    #expect(Self.packed { $0.packArray(count: count) }.hex == array)
    #expect(Self.packed { $0.packMap(count: count) }.hex == map)
  }

  @Test func `keeps every bit of a float`() {
    for bits: UInt32 in [0, 0x8000_0000, 0x7FC0_0000, 0x7F80_0001, 0xFFFF_FFFF, 0x15AE_43FD, 1] {
      #expect(Self.packed { $0.pack(float32: bits) }.number(at: 1, 4) == UInt64(bits))
      #expect(Self.packed { $0.pack(float32: bits) }[0] == 0xCA)
    }
    for bits: UInt64 in [0, 1 << 63, 0x7FF8_0000_0000_0000, 0x7FF0_0000_0000_0001, .max, 1] {
      #expect(Self.packed { $0.pack(float64: bits) }.number(at: 1, 8) == bits)
      #expect(Self.packed { $0.pack(float64: bits) }[0] == 0xCB)
    }
  }

  @Test func `packs one thing after the other, and forgets when told to`() {
    let packer = MessagePackPacker()
    let none = packer.bytes.byteCount
    #expect(none == 0)
    packer.packNull()
    packer.pack(true)
    packer.pack(false)
    let some = packer.bytes.array()
    #expect(some == [0xC0, 0xC3, 0xC2])
    packer.clear()
    let cleared = packer.bytes.array()
    #expect(cleared == [])
    let raw: [UInt8] = [1, 2, 3]
    packer.append(raw.rawSpan)
    let appended = packer.bytes.array()
    #expect(appended == raw)
  }

  @Test func `packs any part of some bytes, whatever follows it`() {
    let bytes = (0..<80).map { UInt8($0) }
    for start in 0...80 {
      for end in start...80 {
        let packer = MessagePackPacker()
        packer.packNull()
        packer.pack(string: start..<end, of: bytes.rawSpan)
        packer.append(start..<end, of: bytes.rawSpan)
        packer.packNull()
        let head: [UInt8] = end - start < 32 ? [0xA0 | UInt8(end - start)] : [0xD9, UInt8(end - start)]
        let packed = packer.bytes.array()
        var expected: [UInt8] = [0xC0] + head
        expected += bytes[start..<end]
        expected += bytes[start..<end]
        expected.append(0xC0)
        #expect(packed == expected)
      }
    }
  }

  @Test func `packs a name and any part of some bytes at once, whatever follows them`() {
    var bytes: [UInt8] = []
    for number in 0..<70_100 { bytes.append(UInt8(truncatingIfNeeded: number &* 7 &+ number >> 8)) }
    let names = (0..<60).map { UInt8(100 + $0) }
    for count in [0, 1, 15, 16, 17, 31, 32, 33, 255, 256, 257, 65_535, 65_536, 70_000] {
      for start in [0, 3, 84, 85, 99, 100] where start + count <= bytes.count {
        for name in [0..<0, 0..<1, 5..<21, 5..<22, 40..<44, 40..<45, 60..<60] {
          let packer = MessagePackPacker()
          packer.packNull()
          packer.pack(name, of: names.rawSpan, thenString: start..<start + count, of: bytes.rawSpan)
          packer.packNull()
          var expected: [UInt8] = [0xC0] + names[name]
          switch count {
          case ..<32: expected.append(0xA0 | UInt8(count))
          case ..<256: expected += [0xD9, UInt8(count)]
          case ..<65_536: expected += [0xDA] + ReferenceFile.big(count, 2)
          default: expected += [0xDB] + ReferenceFile.big(count, 4)
          }
          expected += bytes[start..<start + count]
          expected.append(0xC0)
          let packed = packer.bytes.array()
          #expect(packed == expected)
        }
      }
    }
  }
}
