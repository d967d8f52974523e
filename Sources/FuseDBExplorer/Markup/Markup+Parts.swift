// What pages have in common: sections, tables, pairs of names and values, bars.

extension Markup {
  mutating func link(_ link: Link, _ text: String) { element("a", .href(link), text: text) }

  mutating func paragraph(_ text: String) { element("p", text: text) }

  /// A remark that stands back.
  mutating func note(_ text: String) { element("p", .class("quiet"), text: text) }

  mutating func section(_ title: String, _ content: (inout Markup) -> Void) {
    element("section") { section in
      section.element("h2", text: title)
      content(&section)
    }
  }

  /// A column of a table.
  struct Column {
    var title: String
    var isNumber = false
    init(_ title: String, isNumber: Bool = false) {
      self.title = title
      self.isNumber = isNumber
    }
  }

  /// A table that scrolls on its own where the page is narrow.
  mutating func table(_ caption: String, _ columns: [Column], _ rows: (inout Markup) -> Void) {
    element(
      "div", .class("scroll"), Attribute("role", "region"), Attribute("aria-label", caption), Attribute("tabindex", "0")
    ) {
      $0.element("table") { table in
        table.element("caption", text: caption)
        table.element("thead") { head in
          head.element("tr") { row in
            for column in columns {
              if column.isNumber {
                row.element("th", Attribute("scope", "col"), .class("n"), text: column.title)
              } else {
                row.element("th", Attribute("scope", "col"), text: column.title)
              }
            }
          }
        }
        table.element("tbody", content: rows)
      }
    }
  }

  mutating func row(_ cells: (inout Markup) -> Void) { element("tr", content: cells) }
  mutating func rowHead(_ content: (inout Markup) -> Void) {
    element("th", Attribute("scope", "row"), content: content)
  }
  mutating func cell(_ content: (inout Markup) -> Void) { element("td", content: content) }
  mutating func number(_ text: String) { element("td", .class("n"), text: text) }

  /// Names and values.
  mutating func facts(_ content: (inout Markup) -> Void) { element("dl", .class("facts"), content: content) }

  mutating func fact(_ name: String, _ content: (inout Markup) -> Void) {
    element("div") { pair in
      pair.element("dt", text: name)
      pair.element("dd", content: content)
    }
  }

  mutating func fact(_ name: String, _ value: String) { fact(name) { $0.text(value) } }

  /// A figure that is read from afar.
  mutating func figure(_ name: String, _ value: String, _ more: String? = nil) {
    element("div", .class("figure")) { figure in
      figure.element("dt", text: name)
      figure.element("dd") { value_ in
        value_.element("strong", text: value)
        if let more { value_.element("span", .class("quiet"), text: more) }
      }
    }
  }

  /// A bar as long as a share; the number stands beside it.
  mutating func barCell(_ part: Int, of whole: Int) {
    element("td", .class("barcell")) { cell in
      cell.element("svg", .class("bar"), Attribute("aria-hidden", "true"), Attribute("focusable", "false")) { picture in
        let share = whole == 0 ? 0 : 100 * Double(part) / Double(whole)
        picture.element(
          "rect", Attribute("width", "\(Figures.oneDecimal(share))%"), Attribute("height", "100%"), Attribute("rx", "2")
        ) { _ in }
      }
    }
  }

  /// How far a work is.
  mutating func progress(_ share: Double, _ label: String) {
    element(
      "progress", Attribute("max", "100"), Attribute("value", "\(Int(share * 100))"), Attribute("aria-label", label)
    ) {
      $0.text("\(Int(share * 100)) %")
    }
  }
}
