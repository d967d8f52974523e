internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBWeb

/// What a verification found, and of which file.
struct Verified: Sendable {
  /// So many damages are kept.
  static let mostDamage = 200

  var generation: Int
  var time: Double
  var summary: VerificationSummary
  var damage: [Damage]
}

extension Asking {
  var verificationState: BackgroundJobs<String, Verified>.State? { explorer.works.verifications.state(of: name) }

  /// Begins to verify the file that is served, unless that is under way. Nothing changes by it, and one runs at a time; so it needs no token.
  func beginVerification() {
    let reader = reader
    _ = explorer.works.verifications.state(of: name, isNew: true) { progress throws(FuseError) in
      let report = try reader.verify(progress: { progress($0) })
      return Verified(
        generation: reader.generation, time: WallClock.now, summary: report.summary,
        damage: Array(report.damage.prefix(Verified.mostDamage)))
    }
  }

  /// What verification found, or how far it is.
  func verification() -> Page {
    var page = page("Verification", .verify, Link(name, .verify))
    page.isLive = verificationState?.isUnderWay == true
    verificationSummary(&page.body)
    if case .done(let found) = verificationState, !found.damage.isEmpty {
      page.body.table(
        "Damage in the order of the file", [.init("Offset", isNumber: true), .init("Kind"), .init("What is wrong")]
      ) { rows in
        for damage in found.damage {
          rows.row { row in
            row.number(Figures.grouped(damage.offset))
            row.rowHead { $0.text(damage.kind.rawValue) }
            row.cell { $0.text(damage.message) }
          }
        }
      }
      if found.summary.damageCount > found.damage.count {
        page.body.note(
          "\(Figures.count(found.summary.damageCount - found.damage.count, "more damage")); 'fusedb verify' lists them."
        )
      }
    }
    page.body.note("Every byte is checked, in the background. Nothing is changed, and one verification runs at a time.")
    page.body.element("p") { $0.link(Link(name), "Overview") }
    page.twin = verificationTwin
    return page
  }

  /// A line on verification, and the button that begins it.
  func verificationSummary(_ out: inout Markup) {
    let state = verificationState
    out.element("div", Attribute("role", "status")) { status in
      switch state {
      case nil:
        status.note("Not verified since this process began to serve. Each look-up compares checksums all the same.")
      case .running(let share):
        status.element("p") {
          $0.text("Verifying … ")
          $0.progress(share, "Share verified")
        }
      case .waiting: status.paragraph("Waiting for other files to be verified.")
      case .failed(let error): status.element("p", .class("bad"), text: "Verification ended: \(error.description)")
      case .done(let found):
        let about = "generation \(found.generation), \(Figures.time(found.time))"
        if found.summary.isSound {
          status.element("p") {
            $0.element("strong", .class("good"), text: "Sound")
            $0.text(": \(about)")
          }
        } else {
          status.element("p") {
            $0.element("strong", .class("bad"), text: Figures.count(found.summary.damageCount, "damage"))
            $0.text(": \(about). ")
            $0.link(Link(name, .verify), "List them")
          }
        }
        if found.generation != reader.generation { status.note("Another file is served since.") }
      }
    }
    guard state?.isUnderWay != true else { return }
    out.element("form", Attribute("method", "post"), .action(Link(name, .verify)), .flag("data-quiet")) {
      $0.element("button", Attribute("type", "submit"), text: state == nil ? "Verify the file" : "Verify again")
    }
  }

  var verificationTwin: JSONTree {
    switch verificationState {
    case nil: .object([("state", .text("none"))])
    case .waiting: .object([("state", .text("waiting"))])
    case .running(let share): .object([("state", .text("running")), ("progress", .real(share))])
    case .failed(let error): .object([("state", .text("failed")), ("error", .text(error.description))])
    case .done(let found):
      .object([
        ("state", .text("done")), ("isSound", .bool(found.summary.isSound)), ("generation", .number(found.generation)),
        ("damageCount", .number(found.summary.damageCount)),
        (
          "damage",
          .list(
            found.damage.map {
              .object([
                ("offset", .number(Int(clamping: $0.offset))), ("kind", .text($0.kind.rawValue)),
                ("message", .text($0.message)),
              ])
            })
        ),
      ])
    }
  }
}
