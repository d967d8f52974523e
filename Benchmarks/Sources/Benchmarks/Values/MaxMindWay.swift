import CMaxMindDB

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
