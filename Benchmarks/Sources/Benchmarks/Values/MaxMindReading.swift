import CMaxMindDB

/// What libmaxminddb reads of an entry.
protocol MaxMindReading {
  func word(_ entry: inout MMDB_entry_s) throws -> UInt64
}

/// One field: how it is reached, and what is taken of it.
struct MaxMindField<Way: MaxMindWay, Part: MaxMindPart>: MaxMindReading {
  let way: Way
  let part: Part

  @inline(__always)
  func word(_ entry: inout MMDB_entry_s) throws -> UInt64 {
    var data = MMDB_entry_data_s()
    let status = way.reach(&entry, &data)
    guard status == MMDB_SUCCESS else { throw MaxMindDatabase.failure(status) }
    guard data.has_data, data.type == Part.type else { throw WrongAnswer("libmaxminddb has a value of another type") }
    return part.word(data)
  }
}

/// Everything, as a list of nodes.
struct MaxMindList: MaxMindReading {
  @inline(__always)
  func word(_ entry: inout MMDB_entry_s) throws -> UInt64 {
    var list: UnsafeMutablePointer<MMDB_entry_data_list_s>?
    let status = MMDB_get_entry_data_list(&entry, &list)
    defer { MMDB_free_entry_data_list(list) }
    guard status == MMDB_SUCCESS else { throw MaxMindDatabase.failure(status) }
    // The map, the first name, its value, the second name, its value.
    guard let list, let asn = list.pointee.next?.pointee.next?.pointee.next?.pointee.next else {
      throw WrongAnswer("libmaxminddb has a shorter list")
    }
    return Word.value(count: Int(list.pointee.entry_data.data_size), asn: UInt64(asn.pointee.entry_data.uint32))
  }
}

/// How one field is reached.
protocol MaxMindWay {
  func reach(_ entry: inout MMDB_entry_s, _ data: inout MMDB_entry_data_s) -> CInt
}

/// `MMDB_get_value` with one name.
struct MemberWay: MaxMindWay {
  let name: UnsafePointer<CChar>

  @inline(__always)
  func reach(_ entry: inout MMDB_entry_s, _ data: inout MMDB_entry_data_s) -> CInt {
    mmdb_get_member(&entry, &data, name)
  }
}

/// `MMDB_get_value` with a name and the index of an element.
struct ElementWay: MaxMindWay {
  let name: UnsafePointer<CChar>
  let index: UnsafePointer<CChar>

  @inline(__always)
  func reach(_ entry: inout MMDB_entry_s, _ data: inout MMDB_entry_data_s) -> CInt {
    mmdb_get_element(&entry, &data, name, index)
  }
}

/// `MMDB_aget_value`: the path is an array that was made before.
struct PathWay: MaxMindWay {
  let path: UnsafePointer<UnsafePointer<CChar>?>

  @inline(__always)
  func reach(_ entry: inout MMDB_entry_s, _ data: inout MMDB_entry_data_s) -> CInt {
    MMDB_aget_value(&entry, &data, path)
  }
}

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
