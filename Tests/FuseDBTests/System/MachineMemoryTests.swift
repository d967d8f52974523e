import Glibc
import Testing

import FuseDB

@testable import FuseDBSystem

struct MachineMemoryTests {
  @Test func `what is available is no more than the machine has`() {
    let total = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
    #expect(MachineMemory.availableByteCount > 0)
    #expect(MachineMemory.availableByteCount <= total)
  }

  @Test func `this process takes some memory, and took no less at its peak`() throws {
    let resident = try #require(MachineMemory.residentByteCount)
    let peak = try #require(MachineMemory.peakByteCount)
    #expect(resident > 1 << 20)
    #expect(peak >= resident / 2)
  }

  @Test(
    arguments: [
      ("12\n", "", 12), ("max\n", "", nil), ("", "", nil), ("A:  1 kB\nB:\t23 kB\n", "B:", 23), ("A: 1\n", "B:", nil),
    ] as [(String, String, Int?)])
  func `numbers of the system are those after a name`(text: String, name: String, number: Int?) throws {
    let folder = try TemporaryFolder()
    #expect(MachineMemory.number(in: try folder.write(Array(text.utf8)), after: name) == number)
  }
}
