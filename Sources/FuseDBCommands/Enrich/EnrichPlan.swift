internal import FuseDB

/// What a command does with its lines: the same for all threads.
struct EnrichPlan: Sendable {
  /// What happens to a field that a line has already.
  enum Existing: Sendable { case keep, replace, error }
  /// What happens to a line that is no JSON object, or a row that does not suit its table.
  enum BadLines: Sendable { case fail, keep, drop }

  struct Question: Sendable {
    let reader: FuseReader
    let matching: Get.Matching?
    let rule: KeyNormalisation?
    let key: FusePath
    let fields: [EnrichSource.Field]
    /// The number of its first field among all.
    let firstField: Int
  }

  let questions: [Question]
  let existing: Existing
  let badLines: BadLines
  /// What stands for what is absent: MessagePack; nil for nothing.
  let absent: [UInt8]?
  /// Nil where lines are JSON.
  let table: Table?

  struct Table: Sendable {
    let separator: UInt8
    let takesQuotes: Bool
    let commentPrefix: [UInt8]
    /// The names of the columns, where no row has them.
    let columns: [[UInt8]]?
  }
}
