import Testing

@testable import FuseDBCommands
@testable import FuseDBSystem

struct ProgressBarTests {
  @Test(arguments: [
    (0.0, "[------------------------]   0% x"), (0.5, "[############------------]  50% x"),
    (1.0, "[########################] 100% x"),
    (-1.0, "[------------------------]   0% x"), (7.0, "[########################] 100% x"), (nil, "x"),
  ])
  func `a bar shows what is done, and nothing where nobody knows`(fraction: Double?, text: String) {
    #expect(ProgressBar.line(fraction, "x") == text)
  }

  @Test func `nothing is shown where nobody looks`() {
    let err = Output(nil, name: "standard error")
    let bar = ProgressBar(err)
    bar.show(0.5, "x")
    bar.clear()
    #expect(err.text == "")
  }
}
