import FuseDB
import ProgramSupport
import Testing

private struct UserID: RawRepresentable, FuseKey { var rawValue: UInt32 }

private enum Country: String, FuseKey { case germany = "de" }

/// As it would stand in a program, for a type of another library.
private struct Packet: FuseKey {
  var payload: ContiguousArray<UInt8>

  var keySpelling: [UInt8] { Array(payload) }
}

private func text(_ key: some FuseKey) -> String { String(decoding: key.keySpelling.keyBytes.array(), as: UTF8.self) }

struct `A key of another type` {
  @Test func `is spelled as the specification's worked examples say [W22] [W23] [W24] [W25]`() throws {
    #expect(text(42) == "42")
    #expect(text(0) == "0")
    #expect(text(-7) == "-7")
    #expect(text(Int64.min) == "-9223372036854775808")
    #expect(text(UInt64.max) == "18446744073709551615")
    #expect(text(UInt16(443)) == "443")
    let bytes: FuseUUID.Bytes = (
      0x12, 0x3E, 0x45, 0x67, 0xE8, 0x9B, 0x12, 0xD3, 0xA4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0x00
    )
    #expect(text(FuseUUID(bytes: bytes)) == "123e4567-e89b-12d3-a456-426614174000")
    #expect(text(Packet(payload: [1, 2])) == "\u{1}\u{2}")
    #expect(text(UserID(rawValue: 9)) == "9")
    #expect(text(Country.germany) == "de")
  }

  @Test func `has its bytes in place where it is text or bytes, so that nothing is copied`() {
    func isInPlace(_ key: some FuseKey) -> Bool { key.bytesInPlace != nil }
    let text = "a text that is too long for the memory of a text"
    #expect(isInPlace(text) && isInPlace("short") && isInPlace(text.dropFirst(2)) && isInPlace(Array(text.utf8)))
    #expect(isInPlace(Array(text.utf8).dropFirst()) && isInPlace(42.keySpelling))
    #expect(!isInPlace(42) && !isInPlace(Country.germany) && !isInPlace(Packet(payload: [1])))
  }

  @Test func `is the decimal text that Swift gives to any integer [W22]`() {
    var random = SeededRandom.announced()
    for _ in 0..<2_000 {
      let bits = UInt64.random(in: 0...UInt64.max, using: &random) >> UInt64.random(in: 0...63, using: &random)
      for key in [Int64(bitPattern: bits), Int64(bitPattern: ~bits)] {
        #expect(text(key) == key.description)
        #expect(Int64(keyBytes: key.description.keyBytes) == key)
      }
      #expect(text(bits) == bits.description)
      #expect(UInt64(keyBytes: bits.description.keyBytes) == bits)
    }
  }

  @Test(arguments: ["", "-", "+1", "-0", "00", "007", " 7", "7 ", "1.0", "0x10", "９", "256e0", "18446744073709551616"])
  func `is no integer in another spelling, which a table would lose [W22]`(text: String) {
    #expect(Int(keyBytes: text.keyBytes) == nil)
    #expect(UInt64(keyBytes: text.keyBytes) == nil)
  }

  @Test func `is no integer beyond those of its type, nor one of 41 digits`() {
    #expect(Int16(keyBytes: "32768".keyBytes) == nil)
    #expect(Int16(keyBytes: "-32768".keyBytes) == .min)
    #expect(UInt(keyBytes: "-1".keyBytes) == nil)
    #expect(UInt(keyBytes: String(repeating: "1", count: 41).keyBytes) == nil)
    #expect(UInt(keyBytes: [0xFF, 0xFE].keyBytes) == nil)
  }

  @Test(arguments: [
    "", "123e4567e89b12d3a456426614174000", "123E4567-E89B-12D3-A456-426614174000",
    "123e4567-e89b-12d3-a456-42661417400", "123e4567-e89b-12d3-a456-4266141740000",
    "{23e4567-e89b-12d3-a456-42661417400}",
    "123e4567-e89b-12d3-a456-42661417400g", "123e4567-e89b-12d3-a4564-26614174000",
  ])
  func `is no UUID in another spelling, which a table would lose [W23]`(text: String) {
    #expect(FuseUUID(keyBytes: text.keyBytes) == nil)
  }

  @Test func `is the same UUID however it was made [W23]`() throws {
    let text = "00ff10a0-0000-4000-8000-0123456789ab"
    let uuid = try #require(FuseUUID(text))
    #expect(
      uuid.description == text && FuseUUID(text.uppercased()) == uuid && FuseUUID(keyBytes: text.keyBytes) == uuid)
    #expect(uuid.bytes == [0x00, 0xFF, 0x10, 0xA0, 0, 0, 0x40, 0, 0x80, 0, 0x01, 0x23, 0x45, 0x67, 0x89, 0xAB])
    #expect(FuseUUID(bytes: uuid.bytes.rawSpan) == uuid)
    #expect(FuseUUID(bytes: [1, 2, 3].rawSpan) == nil)
    #expect(FuseUUID("00ff10a0-0000-4000-8000-0123456789aé") == nil)
  }

  @Test func `finds what a writer was given under it, and what other programs find by its text`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("keys.fsdb")
    let writer = FuseWriter()
    let uuid = try #require(FuseUUID("123e4567-e89b-12d3-a456-426614174000"))
    try writer.add(42, ["name": "Ann"])
    try writer.add([7, -7], ["name": "Bob"])
    try writer.add(uuid, ["name": "Eve"])
    try writer.add(Country.germany, ["name": "Germany"])
    try writer.add([1, 2] as [UInt8], ["name": "bytes"])
    try writer.build(to: path)
    let reader = try FuseReader(path: path)
    var keys: [String] = []
    try reader.entries().forEach { keys.append(String(decoding: try $0.key, as: UTF8.self)) }
    #expect(keys == ["\u{1}\u{2}", "-7", "123e4567-e89b-12d3-a456-426614174000", "42", "7", "de"])
    #expect(try reader[42]?["name"]?.string == "Ann")
    #expect(try reader.value([String: String].self, forKey: UInt64(42))?["name"] == "Ann")
    #expect(try reader.contains(keys: [42, 43, -7]) == [true, false, true])
    #expect(try reader.values([String: String].self, forKeys: [uuid]).first??["name"] == "Eve")
    #expect(try reader.withValue(forKey: UserID(rawValue: 7)) { $0["name"]?.string } == "Bob")
    let table = FuseTable<Int, [String: String]>(reader)
    #expect(try table[-7]?["name"] == "Bob" && table[8] == nil)
    var rows = try table.prefix("4")
    #expect(try rows.next()?.key == 42)
    #expect(
      failure {
        var all = try table.rows(); _ = try all.next()
      }?.code == .invalidValue)
    #expect(try FuseTable<FuseUUID, [String: String]>(reader)[uuid]?["name"] == "Eve")
  }
}
