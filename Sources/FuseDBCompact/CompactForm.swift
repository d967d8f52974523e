/// The numbers of the compact form, version 3 of a file. See spec/decisions/0041-compact.md.
package enum CompactForm {
  /// What the header says.
  package static let version: UInt8 = 3
  /// How many bytes a block of keys has, and its part before the entries: CRC-32, ordinal of the first key, number of entries.
  package static let blockByteCount = 256
  package static let blockHeadByteCount = 9
  /// What follows in a coded key is longer only in the section of long keys.
  package static let mostSuffixBytes = 160
  /// The length that says that a key stands in that section.
  package static let longMark = 255
  /// How long a value is in MessagePack that can be a part.
  package static let partByteCounts = 10...4096
  /// How many names a shape has, and how many bytes they have together.
  package static let mostShapeNames = 255
  package static let mostShapeBytes = 4096
  package static let mostShapes = 1 << 16
  /// How many symbols there are, and how many bytes one has.
  package static let mostSymbols = 255
  package static let mostSymbolBytes = 8
  /// The byte that stands before one that is no symbol.
  package static let escape: UInt8 = 255
  /// How deep values are nested, parts included.
  package static let mostDepth = 128

  /// The kinds of its sections, as the directory has them.
  package enum Section {
    package static let keys = Array("KEYS".utf8)
    package static let hash = Array("HASH".utf8)
    package static let longKeys = Array("LONG".utf8)
    package static let symbols = Array("SYMB".utf8)
    package static let shapes = Array("SHAP".utf8)
    package static let parts = Array("PART".utf8)
    /// As in version 2.
    package static let metadata = Array("META".utf8)
    package static let lengths = Array("KLEN".utf8)
    package static let networks = Array("NETW".utf8)
    /// Which networks stand in no block, in a file of networks alone.
    package static let shown = Array("SHOW".utf8)
  }

  /// The first byte of a value in a row.
  package enum Head {
    /// From here on: the number itself, an array, a text, a map of a shape, a part by the lowest bits of the head and one, two, three bytes.
    package static let integer: UInt8 = 0x00
    package static let array: UInt8 = 0x80
    package static let text: UInt8 = 0x90
    package static let shape: UInt8 = 0xB0
    package static let part5: UInt8 = 0xC0
    package static let part3: UInt8 = 0xE0
    package static let part2: UInt8 = 0xE8
    /// A part by four bytes.
    package static let partLong: UInt8 = 0xEC
    package static let shapeLong: UInt8 = 0xED
    package static let decimal: UInt8 = 0xEE
    /// MessagePack follows.
    package static let raw: UInt8 = 0xEF
    package static let null: UInt8 = 0xF0
    package static let no: UInt8 = 0xF1
    package static let yes: UInt8 = 0xF2
    /// An integer of so many bytes, one to four: this and that number.
    package static let integerBytes: UInt8 = 0xF2
    package static let textLong: UInt8 = 0xF7
    package static let arrayLong: UInt8 = 0xF8
    package static let mapLong: UInt8 = 0xF9
  }
}
