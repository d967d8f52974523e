import Glibc
import Testing

import FuseDB

@testable import FuseDBReading

@safe
struct `A walk over entries` {
  /// The index ends with a page, and what comes after it ends the process when it is read.
  @Test func `reads nothing after the index where that has no room for an entry [I2]`() throws {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let mapped = unsafe mmap(nil, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    let start = unsafe try #require(mapped)
    try #require(unsafe start != MAP_FAILED)
    defer { unsafe munmap(start, 2 * page) }
    try #require(unsafe mprotect(start + page, page, PROT_NONE) == 0)
    // SAFETY: the first page is there until the function returns.
    let file = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(start), byteCount: page)
    for offset in page - 9...page {
      var walk = EntryWalk(from: offset, until: page, in: file)
      #expect(walk.next() == nil)
      let isPassed = walk.skip()
      #expect(!isPassed && walk.offset == offset)
    }
    // All zeros: an entry of the empty key.
    var last = EntryWalk(from: page - 10, until: page, in: file)
    #expect(last.next()?.end == page)
  }
}
