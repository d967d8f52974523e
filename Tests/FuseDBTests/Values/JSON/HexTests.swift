import Testing

import FuseDB

struct `Hexadecimal digits` {
  @Test func `of every byte are two, lower case, and read back`() {
    for byte in UInt8.min...UInt8.max {
      var out: [UInt8] = []
      Hex.append(byte, to: &out)
      #expect(out == Array([byte].hex.utf8))
      let upper = Array([byte].hex.uppercased().utf8)
      let bytes = [Hex.bytes(out.rawSpan), Hex.bytes(upper.rawSpan)]
      #expect(bytes == [[byte], [byte]])
    }
  }

  @Test func `of any bytes are theirs in a row`() {
    let all = Array(UInt8.min...UInt8.max)
    var out: [UInt8] = [0x21]
    Hex.append(all.rawSpan, to: &out)
    let digits = Array(out.dropFirst())
    let bytes = Hex.bytes(digits.rawSpan)
    #expect(out.first == 0x21)
    #expect(digits == Array(all.hex.utf8))
    #expect(bytes == all)
    let none: [UInt8] = []
    let nothing = Hex.bytes(none.rawSpan)
    #expect(nothing == [])
  }

  @Test func `are no other characters and no odd number [J9]`() {
    for other in UInt8.min...UInt8.max where !Array("0123456789abcdefABCDEF".utf8).contains(other) {
      for pair in [[other, 0x30], [0x30, other], [0x30, 0x30, 0x30, other]] {
        let bytes = Hex.bytes(pair.rawSpan)
        #expect(bytes == nil, "\(pair)")
      }
    }
    for text in ["0", "000", "0x00", " 00", "00 ", "0 0", "é0"] {
      let bytes = Hex.bytes(text.keyBytes)
      #expect(bytes == nil, "\(text)")
    }
  }
}
