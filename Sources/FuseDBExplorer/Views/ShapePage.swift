internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBWeb

extension Asking {
  /// How long keys are, how large objects, how often they are shared, which fields values have.
  func shape() -> Page {
    var page = page("Shape", .shape, Link(name, .shape))
    let reader = reader
    let state = explorer.works.shapes.state(of: ExplorerWorks.Edition(name, reader), isShort: isSmall) {
      _ throws(FuseError) in try Shape(of: reader)
    }
    page.isLive = state.isUnderWay
    switch state {
    case .running, .waiting:
      page.body.element(
        "p", Attribute("role", "status"), text: "Keys are being sampled; the page shows them in a moment.")
      page.twin = .object([("state", .text("running"))])
    case .failed(let error):
      page.status = 500
      page.body.element("p", .class("bad"), text: error.description)
      page.twin = .object([("state", .text("failed")), ("error", .text(error.description))])
    case .done(let shape):
      show(shape, in: &page.body)
      page.twin = twin(of: shape)
    }
    return page
  }

  private func show(_ shape: Shape, in body: inout Markup) {
    let about = shape.isExact ? "" : "about "
    body.element("p", .class("lead")) {
      $0.text(
        shape.isExact
          ? "All \(Figures.count(shape.keyCount, "key")) counted."
          : "Sampled \(Figures.grouped(shape.sampled)) of \(Figures.count(shape.keyCount, "key")): each of them stands for \(Figures.grouped(shape.keyCount / max(1, shape.sampled)))."
      )
    }
    body.element("div", .class("grid")) { grid in
      grid.section("Length of keys") {
        $0.histogram(shape.keyLengths, "Keys by their length in bytes", "Bytes", "Keys")
      }
      grid.section("Size of objects") {
        $0.histogram(shape.objectSizes, "Objects by their size in bytes", "Bytes", "Objects")
      }
      grid.section("Keys an object") {
        if !shape.isExact { $0.note("Estimated. Objects with few keys are seldom in a sample.") }
        $0.histogram(
          shape.keysPerObject, "Objects by how many keys share them", shape.isExact ? "Keys" : "About so many keys",
          "Objects")
      }
    }
    body.section("Most shared") { section in
      section.table(
        "Objects that most keys share",
        [.init("A key of it"), .init("Keys", isNumber: true), .init("Bytes", isNumber: true)]
      ) { rows in
        for seen in shape.mostShared {
          rows.row { row in
            row.rowHead { keyLink(seen.key, seen.number, &$0) }
            row.number(about + Figures.grouped(seen.count))
            row.number(Figures.grouped(seen.byteCount))
          }
        }
      }
    }
    body.section("Largest objects") { section in
      section.table(
        shape.isExact ? "The largest objects" : "The largest objects of the sample",
        [.init("A key of it"), .init("Bytes", isNumber: true)]
      ) { rows in
        for seen in shape.largest {
          rows.row { row in
            row.rowHead { keyLink(seen.key, seen.number, &$0) }
            row.number(Figures.grouped(seen.byteCount))
          }
        }
      }
    }
    body.section("Fields") { section in
      guard !shape.fields.isEmpty else { return section.note("No value that was read is a map with names.") }
      section.note(
        "By \(Figures.count(shape.valuesRead, "value")) of \(Figures.count(shape.objectCount, "object"))\(shape.isExact ? "" : " of the sample")."
      )
      section.table(
        "Fields of values, and their types",
        [
          .init("Field"), .init("Values", isNumber: true), .init("Share", isNumber: true), .init("Present"),
          .init("Types"),
        ]
      ) { rows in
        for field in shape.fields {
          rows.row { row in
            row.rowHead { $0.shown(field.path, atMost: 80) }
            row.number(Figures.grouped(field.count))
            row.number(Figures.percent(field.count, of: shape.valuesRead))
            row.barCell(field.count, of: shape.valuesRead)
            row.cell { cell in
              cell.text(
                field.types.sorted { $0.value > $1.value }.map {
                  field.types.count == 1 ? $0.key : "\($0.key) \(Figures.percent($0.value, of: field.count))"
                }.joined(separator: ", "))
            }
          }
        }
      }
    }
  }

  private func twin(of shape: Shape) -> JSONTree {
    func seen(_ one: Shape.Seen) -> JSONTree {
      .object([
        ("key", .key(one.key)), ("offset", .number(Int(clamping: one.offset))), ("keys", .number(one.count)),
        ("bytes", .number(one.byteCount)),
      ])
    }
    return .object([
      ("state", .text("done")), ("sampledKeys", .number(shape.sampled)), ("keys", .number(shape.keyCount)),
      ("isExact", .bool(shape.isExact)), ("keyLengths", .histogram(shape.keyLengths)),
      ("objectSizes", .histogram(shape.objectSizes)), ("keysPerObject", .histogram(shape.keysPerObject)),
      ("mostShared", .list(shape.mostShared.map(seen))), ("largest", .list(shape.largest.map(seen))),
      ("valuesRead", .number(shape.valuesRead)),
      (
        "fields",
        .list(
          shape.fields.map { field in
            .object([
              ("path", .key(field.path)), ("values", .number(field.count)),
              ("types", .named(field.types.sorted { $0.key < $1.key }.map { ($0.key, .number($0.value)) })),
            ])
          })
      ),
    ])
  }

  /// A key as a link to what is known of it.
  func keyLink(_ key: [UInt8], _ number: Int?, _ out: inout Markup) {
    out.element("a", .href(.key(key, number: number, of: name))) { $0.shown(key, atMost: 80) }
  }
}

extension JSONTree {
  fileprivate static func histogram(_ histogram: Shape.Histogram) -> JSONTree {
    .list(
      histogram.bars.filter { $0.count > 0 }.map { bar in
        .object([
          ("from", .number(bar.values.lowerBound)), ("to", .number(bar.values.upperBound)),
          ("count", .number(bar.count)),
        ])
      })
  }
}

extension Markup {
  /// A histogram: a table with bars.
  fileprivate mutating func histogram(
    _ histogram: Shape.Histogram, _ caption: String, _ what: String, _ counted: String
  ) {
    guard let most = histogram.bars.map(\.count).max() else { return note("There is none.") }
    table(caption, [.init(what), .init(counted, isNumber: true), .init("Share")]) { rows in
      for bar in histogram.bars {
        rows.row { row in
          row.rowHead { head in
            head.text(Figures.grouped(bar.values.lowerBound))
            if bar.values.count > 1 { head.text("–\(Figures.grouped(bar.values.upperBound))") }
          }
          row.number(Figures.grouped(bar.count))
          row.barCell(bar.count, of: most)
        }
      }
    }
  }
}
