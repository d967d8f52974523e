/// The entries of a pack that is being filled, by their digests: in a third of the memory that a dictionary takes.
struct EntryTable {
  /// An entry in 24 bytes.
  private struct Row {
    /// Offset, kind, codec, and whether it is kept.
    var word: UInt64
    var storedByteCount: UInt32
    var byteCount: UInt32
    var inner: UInt32
    var frameByteCount: UInt32

    init(_ entry: PackEntry) {
      word =
        UInt64(entry.offset) << 16 | UInt64(entry.kind.rawValue) << 12 | UInt64(entry.codec.rawValue) << 4
        | (entry.isKept ? 1 : 0)
      // Contents of records are below 2^28.
      (storedByteCount, byteCount) = (UInt32(entry.storedByteCount), UInt32(entry.byteCount))
      (inner, frameByteCount) = (UInt32(entry.inner), UInt32(entry.frameByteCount))
    }

    var entry: PackEntry {
      // Both numbers are those of an entry.
      PackEntry(
        kind: PackRecord.Kind(rawValue: UInt8(word >> 12 & 15))!, codec: StoreCodec(rawValue: UInt8(word >> 4 & 255))!,
        isKept: word & 1 == 1, offset: Int(word >> 16), storedByteCount: Int(storedByteCount),
        byteCount: Int(byteCount), inner: Int(inner), frameByteCount: Int(frameByteCount))
    }
  }

  private var ids: [FuseStore.ObjectID] = []
  private var rows: [Row] = []
  /// Numbers of rows plus one, by what the digests are; 0 where there is none.
  private var slots = [UInt32](repeating: 0, count: 256)
  /// Others can't choose which digests meet.
  private let seed = UInt64.random(in: .min ... .max)

  var count: Int { ids.count }
  var isEmpty: Bool { ids.isEmpty }

  private func slot(of id: FuseStore.ObjectID) -> Int {
    var slot = Int(truncatingIfNeeded: ((id.first ^ seed) &* 0x9E37_79B9_7F4A_7C15) >> 32) & (slots.count - 1)
    while slots[slot] != 0, ids[Int(slots[slot]) - 1] != id { slot = (slot + 1) & (slots.count - 1) }
    return slot
  }

  subscript(id: FuseStore.ObjectID) -> PackEntry? {
    get {
      let number = slots[slot(of: id)]
      return number == 0 ? nil : rows[Int(number) - 1].entry
    }
    set {
      guard let newValue else { preconditionFailure("entries are never taken out") }
      let slot = slot(of: id)
      guard slots[slot] == 0 else { return rows[Int(slots[slot]) - 1] = Row(newValue) }
      ids.append(id)
      rows.append(Row(newValue))
      slots[slot] = UInt32(ids.count)
      if 2 * ids.count > slots.count { grow() }
    }
  }

  private mutating func grow() {
    slots = [UInt32](repeating: 0, count: 2 * slots.count)
    for (number, id) in ids.enumerated() { slots[slot(of: id)] = UInt32(number + 1) }
  }

  /// In the order in which they came.
  var all: some Sequence<(key: FuseStore.ObjectID, value: PackEntry)> {
    zip(ids, rows).lazy.map { (key: $0, value: $1.entry) }
  }
}
