import CMaxMindDB

/// What is taken of a field.
protocol MaxMindPart {
  static var type: UInt32 { get }
  func word(_ data: MMDB_entry_data_s) -> UInt64
}

struct TextPart: MaxMindPart {
  static var type: UInt32 { UInt32(MMDB_DATA_TYPE_UTF8_STRING) }

  @inline(__always)
  func word(_ data: MMDB_entry_data_s) -> UInt64 {
    Word.text(first: UInt8(bitPattern: data.utf8_string[0]), count: Int(data.data_size))
  }
}

struct IntPart: MaxMindPart {
  static var type: UInt32 { UInt32(MMDB_DATA_TYPE_UINT32) }

  @inline(__always)
  func word(_ data: MMDB_entry_data_s) -> UInt64 { UInt64(data.uint32) }
}

struct DoublePart: MaxMindPart {
  static var type: UInt32 { UInt32(MMDB_DATA_TYPE_DOUBLE) }

  @inline(__always)
  func word(_ data: MMDB_entry_data_s) -> UInt64 { data.double_value.bitPattern }
}
