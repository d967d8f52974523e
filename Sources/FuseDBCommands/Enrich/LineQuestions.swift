internal import FuseDB

/// Asks one file about some lines, together, and keeps what answers each.
struct LineQuestions {
  /// What answers a line.
  struct Answer {
    /// The number of its texts.
    var texts = AnswerTexts.unknown
    /// Where in ``keys`` the key stands that answers; empty where none does, or it is not asked for.
    var key = 0..<0
  }

  private enum Mode { case exact, network, domain, prefix, email }

  let reader: FuseReader
  private let rule: KeyNormalisation?
  private let mode: Mode
  /// Whether addresses are such also where they are keys in another spelling.
  private let takesAllAddresses: Bool
  /// The field that is the key which answers; -1 for none.
  private let keyField: Int
  private var needsKeys: Bool { keyField >= 0 }
  private(set) var texts: AnswerTexts
  private var counts = EnrichCounts.Answers()
  /// What came of the lines, and which fields answers had.
  var outcome: EnrichCounts.Answers {
    var outcome = counts
    outcome.areFieldsSeen = texts.areSeen
    return outcome
  }

  /// By line.
  private(set) var answers: [Answer] = []
  /// The keys that answer, as texts of the lines' form.
  private(set) var keys: [UInt8] = []
  private let keyForm: AnswerTexts.Form

  // What is asked: addresses, and other keys back to back; and by which lines.
  private var addresses: [FuseAddress] = []
  private var addressLines: [Int] = []
  private var text: [UInt8] = []
  private var ranges: [Range<Int>] = []
  private var textLines: [Int] = []

  init(_ question: EnrichPlan.Question, _ texts: AnswerTexts, keyForm: AnswerTexts.Form) {
    reader = question.reader
    rule = question.rule
    mode =
      switch question.matching {
      case .none: reader.hasNetworks ? .network : rule == .domain ? .domain : .exact
      case .exact?: .exact
      case .network?: .network
      case .domain?: .domain
      case .prefix?: .prefix
      case .email?: .email
      }
    takesAllAddresses = question.matching != nil
    keyField = question.fields.firstIndex { $0.isKey } ?? -1
    self.texts = texts
    self.keyForm = keyForm
  }

  /// Begins with other lines.
  mutating func removeAll() throws(FuseError) {
    answers.removeAll(keepingCapacity: true)
    keys.removeAll(keepingCapacity: true)
    addresses.removeAll(keepingCapacity: true)
    addressLines.removeAll(keepingCapacity: true)
    text.removeAll(keepingCapacity: true)
    ranges.removeAll(keepingCapacity: true)
    textLines.removeAll(keepingCapacity: true)
    try texts.trim()
  }

  /// The next line is none to be asked about.
  mutating func pass() { answers.append(Answer()) }

  /// The next line has a key that no file can have.
  mutating func passAsUnknown() {
    counts.unknown += 1
    pass()
  }

  /// The next line has no key.
  mutating func passWithoutKey() {
    counts.withoutKey += 1
    pass()
  }

  /// Asks what answers the next line.
  mutating func ask(_ key: RawSpan) throws(FuseError) {
    guard key.byteCount > 0 else { return passWithoutKey() }
    let line = answers.count
    answers.append(Answer())
    // Those rules leave addresses what they are.
    if mode == .network, rule == nil || rule == .network, let address = FuseAddress(text: key) {
      if try isAddressAlone(key, address) {
        addresses.append(address)
        addressLines.append(line)
        return
      }
    } else if let rule {
      guard let key = rule.apply(to: key) else { return counts.unknown += 1 }
      if mode == .network, rule != .network, let address = FuseAddress(text: key.rawSpan),
        try isAddressAlone(key.rawSpan, address)
      {
        addresses.append(address)
        addressLines.append(line)
        return
      }
      return add(key.rawSpan, line)
    }
    add(key, line)
  }

  private mutating func add(_ key: RawSpan, _ line: Int) {
    let start = text.count
    text.append(key)
    ranges.append(start..<text.count)
    textLines.append(line)
  }

  /// Whether a question that is an address is not a key in a spelling of its own, as in `fusedb get`.
  private func isAddressAlone(_ key: RawSpan, _ address: FuseAddress) throws(FuseError) -> Bool {
    if takesAllAddresses { return true }
    guard address.family == .ipv6 || key.firstIndex(of: UInt8(ascii: ":"), in: 0..<key.byteCount) != nil else {
      return true
    }
    let text = NetworkText(address)
    if text.bytes.equals(key) { return true }
    return try !reader.contains(key)
  }

  // MARK: Texts

  /// What goes at the ends of the lines that were asked about.
  var ends: LineEnds { LineEnds(answers: answers, texts: texts.wholes, keys: keys) }

  /// The text of a field in a line; nil where it is absent.
  func text(of field: Int, _ line: Int) -> [UInt8]? {
    let answer = answers[line]
    return field == keyField && answer.texts != AnswerTexts.unknown
      ? Array(keys[answer.key]) : texts.part(answer.texts, field: field)
  }

  // MARK: Answering

  /// Looks up all that was asked.
  mutating func answerAll() throws(FuseError) {
    do throws(FuseError) {
      switch mode {
      case .network:
        try reader.forEachLongestMatch(of: addresses) { (number, match) throws(FuseError) in
          guard let match else { return counts.unknown += 1 }
          let offset = match.objectOffset
          if let known = texts.number(ofObjectAt: offset) {
            set(addressLines[number], known)
          } else {
            set(addressLines[number], try add(match.bytes, at: offset))
          }
          if needsKeys { try setKey(addressLines[number], reader.keyText(of: match.key).bytes, isBlock: true) }
        }
        for number in ranges.indices { try answerBlock(number) }
      case .exact:
        let bytes = text
        try reader.forEachObjectOffset(ofKeys: ranges, in: bytes.rawSpan) { (number, offset) throws(FuseError) in
          guard let offset else { return counts.unknown += 1 }
          try set(textLines[number], offset)
          if needsKeys { try setKey(textLines[number], bytes.rawSpan.extracting(ranges[number])) }
        }
      case .domain, .prefix, .email: for number in ranges.indices { try answerName(number) }
      }
      try reader.checkNotShrunk()
    } catch {
      throw error.path == nil ? error.at(path: reader.path) : error
    }
  }

  /// A key that is no address, in a file of networks.
  private mutating func answerBlock(_ number: Int) throws(FuseError) {
    let (line, text, reader) = (textLines[number], text, reader)
    let key = text.rawSpan.extracting(ranges[number])
    if let offset = try reader.objectOffset(forKey: key) {
      try set(line, offset)
      if needsKeys { try setKey(line, key) }
      return
    }
    guard let spelling = NetworkSpelling(key), !spelling.isAddress, !spelling.flaws.contains(.hostBits) else {
      return counts.unknown += 1
    }
    let canonical = try reader.keyText(of: spelling.network)
    guard let offset = try reader.objectOffset(forKey: canonical.bytes) else { return counts.unknown += 1 }
    try set(line, offset)
    if needsKeys { try setKey(line, canonical.bytes) }
  }

  private mutating func answerName(_ number: Int) throws(FuseError) {
    let (line, text, reader) = (textLines[number], text, reader)
    let key = text.rawSpan.extracting(ranges[number])
    let match =
      switch mode {
      case .prefix: try reader.longestPrefix(of: key)
      case .email: try reader.longestMatch(ofEmail: key)
      default: try reader.longestSuffix(ofDomain: key)
      }
    guard let match else { return counts.unknown += 1 }
    let offset = match.objectOffset
    if let known = texts.number(ofObjectAt: offset) {
      set(line, known)
    } else {
      set(line, try add(match.bytes, at: offset))
    }
    if needsKeys { try setKey(line, match.key) }
  }

  private mutating func set(_ line: Int, _ offset: UInt64) throws(FuseError) {
    if let known = texts.number(ofObjectAt: offset) { return set(line, known) }
    let reader = reader
    let object = try reader.bytes(ofObjectAt: offset)
    set(line, try add(object, at: offset))
  }

  private mutating func add(_ object: RawSpan, at offset: UInt64) throws(FuseError) -> Int {
    try texts.add(object, at: offset, reader)
  }

  private mutating func set(_ line: Int, _ texts: Int) {
    answers[line].texts = texts
    counts.answered += 1
    counts.absentFields += self.texts.absentCount(texts)
  }

  private mutating func setKey(_ line: Int, _ key: RawSpan, isBlock: Bool = false) throws(FuseError) {
    let start = keys.count
    switch keyForm {
    case .member:
      // The usual key, a block, has nothing to escape.
      if isBlock {
        keys.append(UInt8(ascii: "\""))
        keys.append(key)
        keys.append(UInt8(ascii: "\""))
      } else {
        var writer = JSONWriter()
        writer.append(key: key)
        keys.append(contentsOf: writer.out)
      }
    case .cell(let form):
      if isBlock {
        keys.append(key)
        try form.quote(&keys, from: start)
      } else {
        try form.append(key: key, to: &keys)
      }
    }
    answers[line].key = start..<keys.count
  }
}

/// What goes at the ends of some lines.
struct LineEnds {
  fileprivate let answers: [LineQuestions.Answer]
  fileprivate let texts: AnswerTexts.Wholes
  fileprivate let keys: [UInt8]

  /// Whether anything goes there.
  @inline(__always)
  func hasText(_ line: Int) -> Bool { !texts.all[answers[line].texts].range.isEmpty }

  /// Appends what goes there.
  @inline(__always)
  func append(_ line: Int, to out: inout [UInt8]) {
    let answer = answers[line]
    let whole = texts.all[answer.texts]
    let text = texts.text.rawSpan
    guard whole.key >= 0 else { return out.append(text.extracting(whole.range)) }
    out.append(text.extracting(whole.range.lowerBound..<whole.key))
    out.append(keys.rawSpan.extracting(answer.key))
    out.append(text.extracting(whole.key..<whole.range.upperBound))
  }
}
