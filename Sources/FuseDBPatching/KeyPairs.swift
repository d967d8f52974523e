internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Goes through the keys of two files together, in order, each key once.
struct KeyPairs: Sendable {
  /// A key, with its entry in one file or in both.
  struct Pair {
    var old: Entry?
    var new: Entry?
  }

  private var oldScan: Scan
  private var newScan: Scan
  /// What was read of each file and not handed out yet.
  private var old: Entry?
  private var new: Entry?

  init(from old: FuseReader, to new: FuseReader) throws(FuseError) {
    oldScan = try old.entries()
    newScan = try new.entries()
    self.old = try oldScan.next()
    self.new = try newScan.next()
  }

  /// The smallest key that is left, or nil after the last.
  mutating func next() throws(FuseError) -> Pair? {
    var order = 0
    if let old, let new {
      order = try Self.order(of: old, new)
    } else if new != nil {
      order = 1
    } else if old != nil {
      order = -1
    } else {
      return nil
    }
    var pair = Pair()
    if order <= 0 {
      pair.old = old
      old = try oldScan.next()
    }
    if order >= 0 {
      pair.new = new
      new = try newScan.next()
    }
    return pair
  }

  private static func order(of old: Entry, _ new: Entry) throws(FuseError) -> Int {
    let oldKey = try old.keyBytes
    let newKey = try new.keyBytes
    let order = oldKey.compare(newKey)
    // Zeros where a file was cut have an order, too.
    try old.reader.checkNotShrunk()
    try new.reader.checkNotShrunk()
    return order
  }
}
