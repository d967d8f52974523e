public import CFuseDB
internal import CFuseHandles
internal import FuseDB
internal import FuseDBFormat
internal import FuseDBReading

/// A walk through entries of any kind, which keeps the file open.
final class ScanBox {
  enum Walk {
    case keys(Scan)
    case objects(ObjectScan)
    case sharing(SharingScan)
    case networks(NetworkScan)
  }

  private static let textByteCount = Int(FUSE_NETWORK_TEXT_SIZE)

  private let reader: FuseReader
  private let readsValues: Bool
  /// Of a compact file, what holds the entries that were handed out: since the last call, or all, by what the caller asked for.
  private var kept: [FuseReader] = []
  private let keepsAll: Bool
  // One of these is there. They are no enum, so that a step changes them in place.
  private var keys: Scan?
  private var objects: ObjectScan?
  private var sharing: SharingScan?
  private var networks: NetworkScan?
  /// What ended the walk before its end.
  private var failure: FuseError?
  /// The texts of blocks that were handed out last, `textByteCount` bytes each.
  private var texts: UnsafeMutableRawPointer?
  private var textCapacity = 0

  init(_ reader: FuseReader, _ walk: Walk, keysOnly: Bool, untilNext: Bool) {
    self.reader = reader
    keepsAll = !untilNext
    readsValues = !keysOnly
    switch walk {
    case .keys(let scan): keys = scan
    case .objects(let scan): objects = scan
    case .sharing(let scan): sharing = scan
    case .networks(let scan): networks = scan
    }
  }

  deinit { fuse_memory_free(texts) }

  /// How many entries are still to come, where that is known.
  var remaining: Int? { keys?.count }

  /// Keeps what bytes that are handed out lie in. A few entries that were read together have one reader.
  private func keep(_ owner: FuseReader) {
    if owner !== reader, kept.last !== owner { kept.append(owner) }
  }

  /// Makes room for so many texts of blocks, as a call begins that hands out as many entries at most.
  func reserve(_ count: Int) throws(FuseError) {
    if !keepsAll { kept.removeAll(keepingCapacity: true) }
    guard networks != nil, count > textCapacity else { return }
    guard count <= Int.max / Self.textByteCount, let grown = fuse_memory_grow(texts, count * Self.textByteCount) else {
      throw .outOfMemory("keep the texts of \(count) blocks")
    }
    texts = grown
    textCapacity = count
  }

  /// Fills in the next entry. Returns false after the last.
  ///
  /// - Parameter number: which of the texts the entry's key may have.
  func next(_ slot: UnsafeMutablePointer<fuse_entry>, number: Int) throws(FuseError) -> Bool {
    if let failure { throw failure }
    do throws(FuseError) {
      if keys != nil { return try fill(slot, with: try keys!.next(), readsValues) }
      if sharing != nil { return try fill(slot, with: try sharing!.next(), readsValues) }
      if objects != nil { return try fill(slot, with: try objects!.next()) }
      return try fill(slot, with: try networks!.next(), number)
    } catch {
      failure = error
      throw error
    }
  }

  /// Passes over entries; no object is read but in a walk through objects.
  func skip(_ count: Int) throws(FuseError) {
    if let failure { throw failure }
    do throws(FuseError) {
      if keys != nil { return try keys!.skip(count) }
      for _ in 0..<count {
        let isThere =
          if sharing != nil { try sharing!.next() != nil } else if objects != nil { try objects!.next() != nil } else {
            try networks!.next() != nil
          }
        guard isThere else { return }
      }
    } catch {
      failure = error
      throw error
    }
  }

  private func fill(
    _ slot: UnsafeMutablePointer<fuse_entry>, with entry: Entry?, _ readsValue: Bool
  ) throws(FuseError) -> Bool {
    guard let entry else { return false }
    keep(entry.reader)
    let key = fuse_span(try entry.keyBytes)
    let value = readsValue ? fuse_span(try entry.bytes) : fuse_span()
    slot.pointee = fuse_entry(key: key, value: value, object: entry.objectOffset)
    return true
  }

  private func fill(
    _ slot: UnsafeMutablePointer<fuse_entry>, with object: StoredObject?
  ) throws(FuseError) -> Bool {
    guard let object else { return false }
    keep(object.reader)
    slot.pointee = fuse_entry(key: fuse_span(), value: fuse_span(try object.bytes), object: object.offset)
    return true
  }

  private func fill(
    _ slot: UnsafeMutablePointer<fuse_entry>, with entry: NetworkEntry?, _ number: Int
  ) throws(FuseError) -> Bool {
    guard let entry, let texts else { return false }
    let start = texts + number * Self.textByteCount
    let text = try reader.keyText(of: entry.network)
    let count = text.bytes.withUnsafeBytes { text in
      start.copyMemory(from: text.baseAddress!, byteCount: text.count)
      return text.count
    }
    let value = readsValues ? fuse_span(try entry.bytes) : fuse_span()
    slot.pointee = fuse_entry(key: fuse_span(data: start, size: count), value: value, object: entry.objectOffset)
    return true
  }
}

/// Opens a walk, and makes a handle of it.
private func open(
  _ reader: OpaquePointer?, _ given: UnsafePointer<fuse_scan_options>?, _ scan: HandleSlot?, _ error: HandleSlot?,
  _ make: (FuseReader, fuse_scan_options, FuseReader.Direction) throws(FuseError) -> ScanBox.Walk?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let slot = try slot(scan, "scan")
    let reader: FuseReader = try object(reader, HandleKind.reader)
    let options = try options(given, fuse_scan_options(), "options")
    let direction = try choice(options.direction, "direction", [FuseReader.Direction.ascending, .descending])
    guard let walk = try make(reader, options, direction) else { return Status.none }
    let box = ScanBox(reader, walk, keysOnly: options.keys_only, untilNext: options.until_next)
    slot.pointee = try handle(of: box, HandleKind.scan)
    return Status.ok
  }
}

/// A bound; nil for NULL.
private func bound(_ start: UnsafeRawPointer?, _ count: Int, _ name: StaticString) throws(FuseError) -> [UInt8]? {
  let bytes = try given(start, count, name)
  return start == nil ? nil : Array(bytes)
}

/// Begins a walk through keys in the order of their bytes.
@c @implementation
public func fuse_scan_open(
  _ reader: OpaquePointer?, _ options: UnsafePointer<fuse_scan_options>?,
  _ scan: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  open(reader, options, scan, error) { reader, options, direction throws(FuseError) in
    let from = try bound(options.from, options.from_size, "from")
    let upTo = try bound(options.up_to, options.up_to_size, "up_to")
    guard let prefix = try bound(options.prefix, options.prefix_size, "prefix") else {
      return .keys(try reader.entries(from: from, upTo: upTo, direction))
    }
    guard from == nil, upTo == nil else { throw .slip("'prefix' and bounds are given; a scan has one or the other") }
    return .keys(try reader.prefix(prefix, direction))
  }
}

/// Begins a walk through all objects in the order of the file, also those that no key reaches.
@c @implementation
public func fuse_scan_open_objects(
  _ reader: OpaquePointer?, _ scan: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  open(reader, nil, scan, error) { reader, _, _ in .objects(reader.objects()) }
}

/// Begins a walk through the keys that share the object of `key`, itself among them.
@c @implementation
public func fuse_scan_open_sharing(
  _ reader: OpaquePointer?, _ key: UnsafeRawPointer?, _ key_size: Int, _ options: UnsafePointer<fuse_scan_options>?,
  _ scan: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  open(reader, options, scan, error) { reader, _, direction throws(FuseError) in
    let key = try given(key, key_size, "key")
    return try reader.keys(sharing: key.bytes, direction).map { .sharing($0) }
  }
}

/// The same for the object whose record begins at `object`.
@c @implementation
public func fuse_scan_open_object(
  _ reader: OpaquePointer?, _ object: UInt64, _ options: UnsafePointer<fuse_scan_options>?,
  _ scan: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  open(reader, options, scan, error) { reader, _, direction throws(FuseError) in
    .sharing(try reader.keys(ofObjectAt: object, direction))
  }
}

/// Begins a walk through the blocks of addresses inside of one, such as 8.0.0.0/8.
@c @implementation
public func fuse_scan_open_networks(
  _ reader: OpaquePointer?, _ network: UnsafePointer<CChar>?, _ network_size: Int,
  _ options: UnsafePointer<fuse_scan_options>?, _ scan: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  open(reader, options, scan, error) { reader, _, _ throws(FuseError) in
    let text = try text(network, network_size, "network")
    guard let network = FuseNetwork(text) else {
      throw FuseError(.invalidValue, "'\(text)' is no block of addresses; write it as 8.8.8.0/24 or 2001:db8::/32")
    }
    return .networks(try reader.networks(within: network))
  }
}

/// The next entry.
@c @implementation
public func fuse_scan_next(
  _ scan: OpaquePointer?, _ entry: UnsafeMutablePointer<fuse_entry>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let scan: ScanBox = try object(scan, HandleKind.scan)
    let slot = try slot(entry, "entry")
    try scan.reserve(1)
    return try scan.next(slot, number: 0) ? Status.ok : Status.none
  }
}

/// The next entries, at most `capacity`; how many, in `count`.
@c @implementation
public func fuse_scan_next_many(
  _ scan: OpaquePointer?, _ entries: UnsafeMutablePointer<fuse_entry>?, _ capacity: Int,
  _ count: UnsafeMutablePointer<Int>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let count = try slot(count, "count")
    count.pointee = 0
    let scan: ScanBox = try object(scan, HandleKind.scan)
    let entries = try slot(entries, "entries")
    guard capacity > 0 else { throw .slip("'capacity' is \(capacity) and at least 1") }
    try scan.reserve(capacity)
    while count.pointee < capacity, try scan.next(entries + count.pointee, number: count.pointee) {
      count.pointee += 1
    }
    return count.pointee > 0 ? Status.ok : Status.none
  }
}

/// How many entries are still to come.
@c @implementation
public func fuse_scan_remaining(
  _ scan: OpaquePointer?, _ count: UnsafeMutablePointer<UInt64>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let scan: ScanBox = try object(scan, HandleKind.scan)
    let slot = try slot(count, "count")
    guard let remaining = scan.remaining else { return Status.none }
    slot.pointee = UInt64(remaining)
    return Status.ok
  }
}

/// Passes over entries, or as many as there are; no object is read.
@c @implementation
public func fuse_scan_skip(
  _ scan: OpaquePointer?, _ count: UInt64, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let scan: ScanBox = try object(scan, HandleKind.scan)
    try scan.skip(Int(clamping: count))
    return Status.ok
  }
}

/// Closes a scan.
@c @implementation
public func fuse_scan_close(_ scan: OpaquePointer?) -> fuse_status { close(scan, HandleKind.scan) }
