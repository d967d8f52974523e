internal import FuseDBFormat

/// The bytes of a value that is being encoded, and the values inside each other that are under way.
///
/// Members follow each other in one buffer. The head of an array or a map is written when its value has ended, over one
/// byte that was left for it, because the number of elements is not known before. Only a container that a type asks for by
/// `nestedContainer` or `superEncoder` has a buffer of its own.
final class EncodingState {
  let packer = MessagePackPacker()
  let encoder: FuseEncoder
  private var frames: [EncodingFrame] = []
  /// The steps to the value that is encoded here, and from there to the innermost one.
  private var path: [CodingStep]
  /// How many values stand around this part.
  private let depth: Int
  /// How many arrays and maps stand around what is appended next.
  private(set) var containerCount: Int

  /// More values inside each other than any that may be written has, even if each array and map is wrapped twice:
  /// values that are no arrays and maps, and hold themselves, end here, not where the stack does.
  private static let mostFrames = 3 * FormatLimits.nesting

  init(_ encoder: FuseEncoder) {
    self.encoder = encoder
    path = []
    depth = 0
    containerCount = 0
  }

  /// Part of another value.
  private init(of whole: EncodingState, at step: CodingStep) {
    encoder = whole.encoder
    path = whole.containerCount <= FormatLimits.nesting ? whole.path + [step] : whole.path
    depth = whole.depth + whole.frames.count
    containerCount = whole.containerCount
    frames = [EncodingFrame(start: 0, pathCount: path.count)]
  }

  /// The coding path of a value under way.
  func codingPath(ofFrame number: Int) -> [any CodingKey] {
    path.prefix(number < frames.count ? frames[number].pathCount : 0).map(\.key)
  }

  /// The error that says why `value` cannot be written.
  func refusal(_ value: Any, _ message: String) -> EncodingError {
    .invalidValue(value, .init(codingPath: path.map(\.key), debugDescription: message))
  }

  private func tooDeep(_ value: Any) -> EncodingError {
    refusal(value, "values stand deeper inside each other than \(FormatLimits.nesting) arrays and maps can")
  }

  // MARK: Values

  /// Appends `value`, which is no scalar, as its type says.
  func appendOwn(_ value: some Encodable) throws {
    guard containerCount <= FormatLimits.nesting, depth + frames.count < Self.mostFrames else {
      throw tooDeep(value)
    }
    let number = frames.count
    let outerCount = containerCount
    defer { containerCount = outerCount }
    frames.append(EncodingFrame(start: packer.byteCount, pathCount: path.count))
    do {
      try value.encode(to: ValueEncoder(state: self, frame: number))
      try finish(value)
    } catch {
      packer.truncate(to: frames[number].start)
      frames.removeSubrange(number...)
      throw error
    }
    frames.removeLast()
  }

  /// Calls `append` to append an array or a map.
  func inContainer(_ append: () throws -> Void) throws {
    containerCount += 1
    defer { containerCount -= 1 }
    try append()
  }

  /// Calls `append` with `step`, if there is one, at the end of the coding path.
  @inline(__always)
  func within(_ step: CodingStep?, _ append: () throws -> Void) throws {
    guard let step else { return try append() }
    path.append(step)
    defer { path.removeLast() }
    try append()
  }

  /// Writes the head of the innermost value, and what was encoded elsewhere.
  private func finish(_ value: Any) throws {
    let frame = frames[frames.count - 1]
    let packer = packer
    guard !frame.isTooDeep else { throw tooDeep(value) }
    if !frame.parts.isEmpty {
      let first = frame.parts[0].offset
      let rest = packer.bytes.extracting(droppingFirst: first).array()
      packer.truncate(to: first)
      var done = 0
      for part in frame.parts {
        packer.append(rest.rawSpan.extracting(done..<part.offset - first))
        done = part.offset - first
        try part.state.finishPart(value)
        let elsewhere = part.state.packer
        packer.append(elsewhere.bytes)
      }
      packer.append(rest.rawSpan.extracting(droppingFirst: done))
    }
    switch frame.shape {
    case .nothing: throw refusal(value, "\(type(of: value)) encodes nothing; nil would be something")
    case .single: break
    case .keyed:
      do throws(EqualKeys) {
        // The head is one byte still.
        _ = try MemberTable.ofMembers(frame.count, from: frame.start + 1, in: packer.bytes)
      } catch {
        throw twice(error.offset, value)
      }
      if frame.isDictionary { SortedEntries(packer, pairs: frame.count, from: frame.start + 1).sort() }
      packer.replaceEmptyHead(at: frame.start, isMap: true, count: frame.count)
    case .unkeyed: packer.replaceEmptyHead(at: frame.start, isMap: false, count: frame.count)
    }
  }

  @inline(never)
  private func twice(_ offset: Int, _ value: Any) -> EncodingError {
    let packer = packer
    let key = MessagePackHead(at: offset, in: packer.bytes)
    let name = packer.bytes.extracting(key.end..<key.end + key.count)
    return refusal(value, "\(type(of: value)) encodes two members with the name \(quoted(name))")
  }

  private func finishPart(_ value: Any) throws {
    // A superclass that has nothing to say.
    if frames[0].shape == .nothing { open(.keyed, 0) }
    try finish(value)
  }

  // MARK: Containers

  /// Begins an array or a map as what a value is, unless it has begun as that before.
  func open(_ shape: EncodingFrame.Shape, _ number: Int) {
    expectInnermost(number)
    guard frames[number].shape != shape else { return }
    precondition(frames[number].shape == .nothing, "a value is encoded as two things; see Encoder.container(keyedBy:)")
    frames[number].shape = shape
    containerCount += 1
    if shape == .keyed { packer.packMap(count: 0) } else { packer.packArray(count: 0) }
  }

  /// Begins a map with keys of a type.
  func open(keyedBy type: Any.Type, _ number: Int) {
    open(.keyed, number)
    if Self.keys.rule(of: type) == .map { frames[number].isDictionary = true }
  }

  /// What the standard library names the members of a dictionary by that encodes itself: one that a type hands its
  /// encoder to.
  private static let keys = CodingRules { String(reflecting: $0) == "Swift._DictionaryCodingKey" ? .map : .own }

  /// Calls `append` to append the next pair or element of a value; where it throws, nothing stays of that.
  @inline(__always)
  func appendMember(_ number: Int, key: String? = nil, _ append: () throws -> Void) throws {
    expectInnermost(number)
    let mark = packer.byteCount
    if let key { packer.pack(text: key) }
    do {
      try append()
      frames[number].count += 1
    } catch {
      packer.truncate(to: mark)
      throw error
    }
  }

  /// Appends the only thing that a value is.
  @inline(__always)
  func appendSingle(_ number: Int, _ append: () throws -> Void) throws {
    expectInnermost(number)
    precondition(frames[number].shape == .nothing, "a value is encoded as two things; see SingleValueEncodingContainer")
    frames[number].shape = .single
    let mark = packer.byteCount
    do { try append() } catch {
      packer.truncate(to: mark)
      frames[number].shape = .nothing
      throw error
    }
  }

  /// Makes the next pair or element a part that is encoded elsewhere.
  func addPart(_ number: Int, key: String? = nil, at step: CodingStep) -> ValueEncoder {
    expectInnermost(number)
    let part = EncodingState(of: self, at: step)
    guard containerCount <= FormatLimits.nesting else {
      // There is no way to report this before the value ends; so that a loop of such calls ends somewhere, the part is
      // part of nothing.
      frames[number].isTooDeep = true
      return ValueEncoder(state: part, frame: 0)
    }
    if let key { packer.pack(text: key) }
    frames[number].count += 1
    frames[number].parts.append(.init(offset: packer.byteCount, state: part))
    return ValueEncoder(state: part, frame: 0)
  }

  /// How many pairs or elements a value has so far.
  func count(ofFrame number: Int) -> Int { frames[number].count }

  @inline(__always)
  private func expectInnermost(_ number: Int) {
    precondition(number == frames.count - 1, "a container is used while a value inside it is encoded, or after its end")
  }
}

// What types of Foundation encode is intercepted, because that library is not there to ask.

extension EncodingState {
  /// A `Date`, which encodes one float64. [W17]
  func appendDate(_ value: some Encodable) throws {
    let packer = packer
    let start = packer.byteCount
    try appendOwn(value)
    if case .own = encoder.dates { return }
    let head = MessagePackHead(at: start, in: packer.bytes)
    precondition(head.kind == .float64, "a Date encodes a Double")
    packer.truncate(to: start)
    try append(referenceSeconds: Double(bitPattern: head.bits), of: value)
  }

  private func append(referenceSeconds seconds: Double, of value: Any) throws {
    if case .secondsSince1970 = encoder.dates {
      return packer.pack(float64: (seconds + FuseDateStrategy.reference).bitPattern)
    }
    guard let time = FuseDateStrategy.timestamp(ofReferenceSeconds: seconds) else {
      throw refusal(value, "\(seconds) seconds since the beginning of 2001 are no moment that can be written")
    }
    guard case .text = encoder.dates else { return append(time) }
    guard UTCTime.range.contains(Double(time.seconds)) else {
      throw refusal(value, "a moment outside the years 1 to 9999 has no text by RFC 3339; write it as a timestamp")
    }
    packer.pack(text: time.description)
  }

  /// A `URL`, which encodes a map with its text, and with the URL that this is relative to, if there is one: then it
  /// stays that map. [W7]
  func appendURL(_ value: some Encodable) throws {
    let packer = packer
    let start = packer.byteCount
    try appendOwn(value)
    let map = FuseView(validated: packer.bytes.extracting(droppingFirst: start))
    guard map.count == 1, let text = map["relative"]?.string else { return }
    packer.truncate(to: start)
    packer.pack(text: text)
  }
}
