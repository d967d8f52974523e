internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBValues
internal import FuseDBWeb

extension Asking {
  /// So many keys that begin with the question are listed.
  private static let mostBeginning = 20

  /// What answers a question: the key itself, the network of an address, what covers a name, keys that begin so.
  func find() throws(FuseError) -> Page {
    var text = request.parameter("key") ?? request.parameter("q") ?? []
    var isKey = request.parameter("key") != nil
    if let number = number("number") {
      guard number < reader.keyCount else {
        throw FuseError(.notFound, "there is no key number \(number): the file has \(counted(reader.keyCount, "key"))")
      }
      text = try reader.entry(number: number).key
      isKey = true
    }
    guard text.count <= FormatLimits.keyByteCount else {
      throw FuseError(
        .invalidValue, "the question has \(text.count) bytes, and keys have at most \(FormatLimits.keyByteCount)")
    }
    let question = try Question(text, isKey: isKey, reader)
    var page = page("Find", .find, link(of: text, isKey: isKey))
    page.question = text
    if !isKey, text.isEmpty, question.answers.isEmpty { return help(page) }
    var twins: [JSONTree] = []
    for (place, answer) in question.answers.enumerated() {
      let object = try ShownObject(at: answer.offset, of: reader)
      let shared =
        place == 0
        ? try SharedKeys(of: answer.key, at: answer.offset, reader, from: number("from") ?? 0) : nil
      show(answer, object, shared, question, page.link, in: &page.body)
      twins.append(twin(of: answer, object, shared))
    }
    if question.answers.isEmpty {
      page.status = isKey ? 404 : 200
      page.body.element("p", .class("lead")) {
        $0.text(isKey ? "There is no such key: " : "No key answers ")
        $0.shown(text, atMost: 400)
      }
    }
    if question.containing.count > 1 { containing(question, in: &page.body) }
    var beginning: JSONTree = .null
    if !isKey { beginning = try listBeginning(question.text, in: &page.body) }
    page.twin = .object([
      ("question", .key(text)), ("answers", .list(twins)),
      ("containing", .list(question.containing.map { .text($0.description) })),
      ("beginningSo" as StaticString, beginning),
    ])
    return page
  }

  private func help(_ page: Page) -> Page {
    var page = page
    page.body.element("p", .class("lead"), text: "One box takes all of these:")
    page.body.facts { facts in
      facts.fact("A key", "what is stored under it, and which other keys share that")
      facts.fact("An address", "the longest network that holds it")
      facts.fact("A name or an e-mail address", "the key that covers it: itself, or a name above it")
      facts.fact("A beginning", "the keys that begin so")
      facts.fact("Bytes", "spelled \\xHH")
    }
    page.twin = .object([("answers", .list([]))])
    return page
  }

  private func link(of text: [UInt8], isKey: Bool) -> Link {
    if let number = number("number") { return Link(name, .find).with("number", number) }
    // The address that was asked for has room for it.
    return Link(name, .find).with(isKey ? "key" : "q", text)
  }

  private func show(
    _ answer: Question.Answer, _ object: ShownObject, _ shared: SharedKeys?, _ question: Question, _ here: Link,
    in body: inout Markup
  ) {
    let isWhole = request.parameter("whole") != nil
    let whole = here.with("whole", 1)
    body.element("section", .class("answer")) { section in
      section.element("h2") { $0.shown(answer.key, atMost: isWhole ? FormatLimits.keyByteCount : 300, all: whole) }
      section.element("p", .class("quiet")) { line in
        switch answer.reason {
        case .exact: line.text("The key itself.")
        case .normalised: line.text("The key, as this file writes such keys.")
        case .network:
          line.text("The longest network that holds \(question.address?.description ?? "it")")
          if let scope = answer.scope { line.text("; all of \(scope.description) has this answer") }
          line.text(".")
        case .email: line.text("What covers the e-mail address best.")
        case .domain: line.text("What covers the name best.")
        case .prefix: line.text("The longest key with which the question begins.")
        }
      }
      section.object(object, isWhole: isWhole, all: whole) { path, value, out in
        others(answer.network, path, value, &out)
      }
      section.facts { facts in
        facts.fact("Object at", Figures.grouped(object.offset))
        facts.fact("Size", Figures.count(object.byteCount, "byte"))
        facts.fact("Checksum", "0x" + VisibleText.hexadecimal(object.checksum.bigEndianBytes))
        facts.fact("Key length", Figures.count(answer.key.count, "byte"))
      }
      if let shared { show(shared, of: answer.key, here, in: &section) }
    }
  }

  /// A link to other keys whose values have the same in a field.
  private func others(_ network: FuseNetwork?, _ path: [UInt8], _ value: FuseValue, _ out: inout Markup) {
    guard let spelled = FieldFilter.spelling(of: value), spelled.count <= 100, path.count <= 100 else { return }
    var link = Link(name, .tree)
    var place = "all keys"
    if let network, reader.hasNetworks {
      let length = min(network.prefixLength, network.family == .ipv4 ? 8 : 16)
      let block = FuseNetwork(around: network.address, prefixLength: length)
      link = link.with("in", block.description)
      place = block.description
    } else {
      link = link.with("at", "")
    }
    link = link.with("field", path).with("value", spelled)
    out.text(" ")
    out.element("a", .class("others"), .href(link)) {
      $0.text("all with this in \(place)")
      $0.element("span", .class("unseen")) { more in
        more.text(" where ")
        more.shown(path)
        more.text(" is ")
        more.shown(spelled)
      }
    }
  }

  private func show(_ shared: SharedKeys, of key: [UInt8], _ here: Link, in out: inout Markup) {
    out.element("h3", .id("sharing"), text: "Keys that share this object")
    if !shared.isListed {
      out.note(
        "The file has no list of them (REVS), so keys were compared in their order: "
          + (shared.compared.count == reader.keyCount
            ? "all of them."
            : "\(Figures.grouped(shared.compared.lowerBound + 1)) to \(Figures.grouped(shared.compared.upperBound)) of \(Figures.grouped(reader.keyCount)).")
      )
    }
    if shared.keys.isEmpty { out.note("None among these.") }
    out.element("ul", .class("keys")) { list in
      for one in shared.keys {
        list.element("li") { item in
          if one.key == key {
            item.element("strong") { $0.shown(one.key, atMost: 80) }
          } else {
            keyLink(one.key, one.number, &item)
          }
        }
      }
    }
    if let next = shared.next {
      out.element("p") { $0.link(here.with("from", next).at("sharing"), "Go on from here") }
    }
  }

  private func containing(_ question: Question, in body: inout Markup) {
    body.section("All networks that hold the address") { section in
      section.element("ol", .class("keys")) { list in
        for network in question.containing {
          list.element("li") { keyLink(Array(network.description.utf8), nil, &$0) }
        }
      }
    }
  }

  private func listBeginning(_ text: [UInt8], in body: inout Markup) throws(FuseError) -> JSONTree {
    let numbers = try KeyTree.numbers(of: text, reader)
    guard !text.isEmpty, !numbers.isEmpty else { return .object([("count", .number(0)), ("keys", .list([]))]) }
    let first = numbers.prefix(Self.mostBeginning)
    var keys: [(key: [UInt8], number: Int)] = []
    var scan = try reader.entries(numbered: first.startIndex..<first.endIndex).keysOnly
    while let entry = try scan.next() { keys.append((try entry.key, numbers.lowerBound + keys.count)) }
    body.section("Keys that begin so") { section in
      section.element("p") {
        $0.text(Figures.count(numbers.count, "key"))
        if numbers.count > keys.count { $0.text(", of which the first \(keys.count) are here") }
        $0.text(". ")
        if text.count <= KeyTree.longestBeginning {
          $0.link(Link(name, .tree).with("at", text), "Open them level by level")
        }
      }
      section.element("ul", .class("keys")) { list in
        for one in keys { list.element("li") { keyLink(one.key, one.number, &$0) } }
      }
    }
    return .object([("count", .number(numbers.count)), ("keys", .list(keys.map { .key($0.key) }))])
  }

  private func twin(of answer: Question.Answer, _ object: ShownObject, _ shared: SharedKeys?) -> JSONTree {
    .object([
      ("reason", .text(answer.reason.rawValue)), ("key", .key(answer.key)),
      ("network", .optional(answer.network) { .text($0.description) }),
      ("scope", .optional(answer.scope) { .text($0.description) }), ("object" as StaticString, object.twin),
      (
        "sharing",
        .optional(shared) { shared in
          .object([
            ("keys", .list(shared.keys.map { .key($0.key) })), ("isListed", .bool(shared.isListed)),
            ("next", .optional(shared.next) { .number($0) }),
          ])
        }
      ),
    ])
  }
}
