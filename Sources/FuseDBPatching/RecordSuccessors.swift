internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Which record of the new file each record of the old one has become. See spec/patch.md §5.
struct RecordSuccessors {
  private var records: [UInt32]

  init(oldCount: Int) throws(FuseError) { records = try [UInt32](oldCount, of: RecordOrigins.none) }

  /// The new record, or nil where the old one has gone.
  subscript(origin: Int) -> Int? { records[origin] == RecordOrigins.none ? nil : Int(records[origin]) }

  /// A copy succeeds whatever came before it; an edited record only where there is no successor yet. [U11]
  mutating func set(_ origin: Int, _ record: Int, isCopy: Bool) {
    if isCopy || records[origin] == RecordOrigins.none { records[origin] = UInt32(record) }
  }
}
