internal import FuseDB
internal import FuseDBInput

/// The columns of a table, and where in them keys and fields are.
struct TableHeader: Sendable {
  let columns: [[UInt8]]
  /// The columns that hold keys, by question.
  let keyColumns: [Int]
  /// The columns that fields go to, by field; nil for a new one.
  let fieldColumns: [Int?]
  /// The names of the new columns, in the order in which they come after the others.
  let newColumns: [[UInt8]]

  /// - Throws: ``FuseError`` with code `invalidValue` when a column is missing, or is there that should not be.
  init(_ columns: [[UInt8]], _ plan: EnrichPlan, position: String) throws(FuseError) {
    func fail(_ message: String) -> FuseError { FuseError(.invalidValue, message, path: position) }
    var keyColumns: [Int] = []
    for question in plan.questions {
      let name = question.key.columnName
      let places = columns.indices.filter { columns[$0] == name }
      guard let place = places.first else {
        let separator = plan.table?.separator ?? UInt8(ascii: ",")
        let advice =
          columns.count > 1
          ? ""
          : FuseInput.Format.otherSeparator(in: columns.first ?? [], than: separator, .command) { _ in
            "commas or tabs stand between the cells that enrich reads, so write the table with these first"
          }
        let names = columns.prefix(256).map { String(decoding: $0, as: UTF8.self) }
        throw fail(
          """
          there is no column \(quoted(name)), which --on names; the columns are \(FieldSelection.listedNames(columns))\
          \(nearestName(to: String(decoding: name, as: UTF8.self), among: names))\(advice)
          """)
      }
      guard places.count == 1 else {
        throw fail("\(places.count) columns are called \(quoted(name)), which --on names; rename them")
      }
      keyColumns.append(place)
    }
    var fieldColumns: [Int?] = []
    var newColumns: [[UInt8]] = []
    for field in plan.questions.flatMap({ $0.fields }) {
      let name = field.columnName
      let place = columns.lastIndex(of: name)
      guard place == nil || plan.existing != .error else {
        throw fail(
          "there is a column \(quoted(name)) already; choose another name with --as, or say --existing keep or --existing replace"
        )
      }
      fieldColumns.append(place)
      if place == nil { newColumns.append(name) }
    }
    self.columns = columns
    self.keyColumns = keyColumns
    self.fieldColumns = fieldColumns
    self.newColumns = newColumns
  }
}
