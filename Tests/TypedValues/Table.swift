import Foundation
import FuseDB

/// Values of all types with a name each. test_typed.py has the same table, made by itself.
enum Table {
  static func print() throws {
    var rows = Rows()
    try addScalars(to: &rows)
    try addContainers(to: &rows)
    try addTypes(to: &rows)
    try addMoments(to: &rows)
    try addDynamic(to: &rows)
    FileHandle.standardOutput.write(Data(rows.text.utf8))
  }

  struct Rows {
    var text = ""

    mutating func add(_ name: String, _ value: some Encodable, dates: FuseDateStrategy = .timestamp) throws {
      text += "\(name)\t\(try FuseEncoder(dates: dates).encode(value).hex)\n"
    }
  }
}
