import FuseDB
import Testing

struct `An error` {
  @Test(arguments: [
    (FuseError(.corrupted, "it is broken", offset: 32, path: "a.fsdb"), "a.fsdb: offset 32: it is broken"),
    (FuseError(.corrupted, "it is broken", offset: 32), "offset 32: it is broken"),
    (FuseError(.notFound, "it is missing", path: "a.fsdb", errno: 2), "a.fsdb: it is missing"),
    (FuseError(.invalidValue, "it is no value"), "it is no value"),
    // Which addition it was is no place in a file.
    (FuseError(.duplicateKey, "it was added before", offset: 4), "it was added before"),
  ])
  func `says where and what`(error: FuseError, text: String) { #expect(error.description == text) }

  @Test func `is equal to one that says the same in all`() {
    let error = FuseError(.corrupted, "m", offset: 1, path: "p", errno: 2)
    #expect(error == FuseError(.corrupted, "m", offset: 1, path: "p", errno: 2))
    #expect(error.hashValue == FuseError(.corrupted, "m", offset: 1, path: "p", errno: 2).hashValue)
    for other in [
      FuseError(.truncated, "m", offset: 1, path: "p", errno: 2),
      FuseError(.corrupted, "n", offset: 1, path: "p", errno: 2),
      FuseError(.corrupted, "m", offset: 2, path: "p", errno: 2),
      FuseError(.corrupted, "m", offset: 1, path: "q", errno: 2),
      FuseError(.corrupted, "m", offset: 1, path: "p", errno: 3), FuseError(.corrupted, "m"),
    ] { #expect(error != other) }
  }
}
