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
