internal import FuseDB
internal import FuseDBInput

/// The texts that answers put into lines, by the objects that they are of: few objects answer most questions.
struct AnswerTexts {
  /// How a text is written.
  enum Form {
    case member
    case cell(CellForm)
  }

  private static let slotCount = 4096
  private static let mostBytes = 8 << 20
  private static let mostAnswers = 1 << 16
  /// The number of the texts of what is unknown.
  static let unknown = 0

  private let fields: [EnrichSource.Field]
  private let form: Form
  private let absent: [UInt8]?
  /// Whether a field is a part of ``whole(_:)``.
  private let isInWhole: [Bool]
  private let members: WantedPaths

  // Of each slot: the object's offset, 0 for none, and the number of its texts.
  private var offsets = [UInt64](repeating: 0, count: slotCount)
  private var numbers = [Int](repeating: 0, count: slotCount)
  private var writer = JSONWriter()
  /// For each answer and field.
  private var parts: [Range<Int>] = []
  private var ends: [Whole] = []
  private var absentCounts: [Int] = []
  /// Which fields an object had.
  private(set) var areSeen: [Bool]
  private static let absentPart = -1..<(-1)
  /// The part that the key of an answer is, which differs from line to line.
  private static let keyPart = -2..<(-2)

  /// What goes at the end of a line.
  struct Whole {
    /// Where its text stands.
    var range = 0..<0
    /// Where in the text the key goes that answers; -1 where it goes nowhere.
    var key = -1
  }

  /// - Parameter isInWhole: which of the fields are together in one text.
  init(_ fields: [EnrichSource.Field], _ form: Form, absent: [UInt8]?, isInWhole: [Bool]) throws(FuseError) {
    self.fields = fields
    self.form = form
    self.absent = absent
    self.isInWhole = isInWhole
    areSeen = [Bool](repeating: false, count: fields.count)
    var members = WantedPaths()
    for (number, field) in fields.enumerated() { _ = members.add(field: number, at: field.target) }
    self.members = members
    try addUnknown()
  }

  /// What goes at the end of a line, by number: members with commas between them, or cells with a separator before each.
  struct Wholes {
    let all: [Whole]
    /// Their ranges are in this.
    let text: [UInt8]
  }
  var wholes: Wholes { Wholes(all: ends, text: writer.out) }

  /// The text of one field that is not the key; nil where it is absent.
  func part(_ number: Int, field: Int) -> [UInt8]? {
    let part = parts[number * fields.count + field]
    return part.lowerBound < 0 ? nil : Array(writer.out[part])
  }

  /// How many fields the answer lacks.
  @inline(__always)
  func absentCount(_ number: Int) -> Int { absentCounts[number] }

  /// Lets go of what was gathered, if that is much. Numbers are those of other answers then.
  mutating func trim() throws(FuseError) {
    guard writer.out.count > Self.mostBytes || ends.count > Self.mostAnswers else { return }
    let areSeen = areSeen
    self = try AnswerTexts(fields, form, absent: absent, isInWhole: isInWhole)
    self.areSeen = areSeen
  }

  private static func slot(_ offset: UInt64) -> Int {
    Int(truncatingIfNeeded: (offset &* 0x9E37_79B9_7F4A_7C15) >> 52)
  }

  /// The number of an object's texts; nil where they are not known.
  @inline(__always)
  func number(ofObjectAt offset: UInt64) -> Int? {
    let slot = Self.slot(offset)
    return offsets[slot] == offset ? numbers[slot] : nil
  }

  /// Writes the texts of an object and returns their number.
  @inline(never)
  mutating func add(_ object: RawSpan, at offset: UInt64, _ reader: FuseReader) throws(FuseError) -> Int {
    let (start, firstPart) = (writer.out.count, parts.count)
    var absentCount = 0
    do throws(FuseError) {
      let value = try FuseView(validating: object)
      for (number, field) in fields.enumerated() {
        // Taken apart here: an optional view in a conditional expression is more than the compiler takes.
        switch field.content {
        case .key: parts.append(Self.keyPart)
        case .value: try append(value)
        case .part(let path):
          if let found = value[path: path] {
            areSeen[number] = true
            try append(found)
          } else {
            absentCount += 1
            try appendAbsent()
          }
        }
      }
      try reader.checkNotShrunk()
    } catch {
      writer.out.removeSubrange(start...)
      parts.removeSubrange(firstPart...)
      // That the object is sound and no cell for it, says the writer of cells.
      if error.code == .refused { throw error.at(path: reader.path) }
      try reader.decoding(at: offset) { () throws(FuseError) in throw error }
      throw error
    }
    appendWhole(firstPart)
    absentCounts.append(absentCount)
    let slot = Self.slot(offset)
    offsets[slot] = offset
    numbers[slot] = ends.count - 1
    return ends.count - 1
  }

  private mutating func addUnknown() throws(FuseError) {
    for _ in fields { try appendAbsent() }
    appendWhole(0)
    absentCounts.append(0)
  }

  private mutating func append(_ value: FuseView) throws(FuseError) {
    let start = writer.out.count
    switch form {
    case .member: try writer.append(value)
    case .cell(let cell): try cell.append(value, to: &writer)
    }
    parts.append(start..<writer.out.count)
  }

  private mutating func appendAbsent() throws(FuseError) {
    guard let absent else { return parts.append(Self.absentPart) }
    let value = try FuseView(validating: absent.rawSpan)
    try append(value)
  }

  private mutating func appendWhole(_ firstPart: Int) {
    let start = writer.out.count
    var whole = Whole()
    switch form {
    case .member: appendMembers(of: 0, firstPart, &whole)
    case .cell(let cell):
      for number in fields.indices where isInWhole[number] {
        writer.out.append(cell.separator)
        append(parts[firstPart + number], &whole)
      }
    }
    whole.range = start..<writer.out.count
    ends.append(whole)
  }

  /// Appends a part, or notes that the key goes here.
  private mutating func append(_ part: Range<Int>, _ whole: inout Whole) {
    if part == Self.keyPart { whole.key = writer.out.count }
    if part.lowerBound >= 0 { writer.out.append(contentsOf: Array(writer.out[part])) }
  }

  /// Appends the members of a node that are there, with commas between them.
  private mutating func appendMembers(of node: Int, _ firstPart: Int, _ whole: inout Whole) {
    var isFirst = true
    for child in members.nodes[node].children where has(child, firstPart) {
      if !isFirst { writer.append(",") }
      isFirst = false
      let name = members.nodes[child].name
      writer.append(string: name.rawSpan)
      writer.append(":")
      if let field = members.nodes[child].field {
        append(parts[firstPart + field], &whole)
      } else {
        writer.append("{")
        appendMembers(of: child, firstPart, &whole)
        writer.append("}")
      }
    }
  }

  /// Whether anything goes to a node or below.
  private func has(_ node: Int, _ firstPart: Int) -> Bool {
    if let field = members.nodes[node].field { return isInWhole[field] && parts[firstPart + field] != Self.absentPart }
    return members.nodes[node].children.contains { has($0, firstPart) }
  }
}
